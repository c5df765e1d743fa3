// Playwright starts `arklow-mock`, which has to be on PATH, and ends it.
import { defineConfig } from '@playwright/test'

const arklow = `http://localhost:${process.env.ARKLOW_PORT ?? 3123}`

export default defineConfig({
  use: { baseURL: arklow, launchOptions: { executablePath: process.env.CHROMIUM } },
  webServer: {
    command: `arklow-mock serve --port ${new URL(arklow).port} --ingress-port 0 --admin-port 0 --exit-with-parent`,
    url: `${arklow}/openapi.json`,
    reuseExistingServer: !process.env.CI,
  },
})
