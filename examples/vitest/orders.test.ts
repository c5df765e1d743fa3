import createClient from 'openapi-fetch'
import { expect, inject, test } from 'vitest'
import type { paths } from './arklow'

const org_id = '42'
const arklow = createClient<paths>({ baseUrl: inject('arklow').base_url, headers: { 'x-arklow-auth': `org-${org_id}` } })

test('an order is queued', async () => {
  const body = { variant: 'order.created', schema: { required: ['order_id'] } }
  await arklow.PUT('/v1/orgs/{org_id}/actions/definitions', { params: { path: { org_id } }, body })

  const { data } = await arklow.POST('/v1/ingress/{variant}', {
    params: { path: { variant: 'order.created' } },
    body: { payload: { order_id: '8471' } },
  })
  expect(data?.data.queue_s).toBe('queued')
})
