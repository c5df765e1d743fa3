// Starts `arklow-mock`, which has to be on PATH, for the whole run; it ends with the process that holds its input.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import openapiTS, { astToString } from 'openapi-typescript'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext { arklow: { base_url: string, ingress_url: string, admin_url: string, admin_token: string } }
}

export default async function (project: TestProject) {
  const ready = `node_modules/.arklow-${process.pid}.json`
  const flags = ['--port', '0', '--ingress-port', '0', '--admin-port', '0', '--ready-file', ready, '--exit-with-parent']
  const mock = spawn('arklow-mock', ['serve', ...flags], { stdio: ['pipe', 'ignore', 'inherit'] })
  while (!existsSync(ready)) {
    if (mock.exitCode !== null) throw new Error(`arklow-mock ended with exit code ${mock.exitCode}`)
    await setTimeout(20)
  }
  const arklow = JSON.parse(readFileSync(ready, 'utf-8'))
  project.provide('arklow', arklow)
  writeFileSync('arklow.ts', astToString(await openapiTS(new URL(arklow.document)))) // the types of the client
  return () => mock.stdin.end()
}
