import { expect, test } from '@playwright/test'

test('an order that is placed on the page is queued', async ({ page, request, baseURL }, { parallelIndex }) => {
  const org = `${100 + parallelIndex}`
  const headers = { 'x-arklow-auth': `org-${org}` }
  const data = { variant: 'order.created', schema: { required: ['order_id'] } }
  await request.put(`/v1/orgs/${org}/actions/definitions`, { headers, data })

  await page.goto(new URL(`shop.html?arklow=${baseURL}&key=org-${org}`, import.meta.url).href)
  await page.getByRole('button', { name: 'Order' }).click()
  await expect(page.getByRole('status')).toHaveText('queued')

  const records = await (await request.get(`/v1/orgs/${org}/actions/records`, { headers })).json()
  expect(records.data.items[0].input).toEqual({ order_id: '8471' })
})
