// Reads {policies: {name: policy}, requests: [{role, session, action, resource, account, context}]} from a file and
// writes one word per request: whether both the role's and the session's policy, named in `policies`, allow it.
import { readFileSync, writeFileSync } from 'node:fs'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const [asked, answered] = process.argv.slice(2)
const { policies, requests } = JSON.parse(readFileSync(asked, 'utf8'))
const known = new Map()

for (const request of requests) {
  const key = JSON.stringify(request)
  if (known.has(key)) continue
  const response = await runSimulation(
    {
      request: {
        principal: `arn:aws:sts::${request.account}:assumed-role/function/session`,
        action: request.action,
        resource: { resource: request.resource, accountId: request.account },
        contextVariables: request.context,
      },
      identityPolicies: [{ name: 'role', policy: policies[request.role] }],
      sessionPolicy: request.session === null ? undefined : policies[request.session],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  )
  known.set(key, response.resultType === 'error' ? `Error: ${JSON.stringify(response.errors)}` : response.overallResult)
}
writeFileSync(answered, JSON.stringify(requests.map((request) => known.get(JSON.stringify(request)))))
