// A real OpenID provider on loopback. Its configuration is one JSON object in the file that the argument names; when it
// listens, it prints its issuer on one line. Whoever signs in as `name@place` is the user `name` of that place.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const { port, clients, users, jwks, claimsInIdToken } = JSON.parse(readFileSync(process.argv[2], 'utf8'));

function claimsOf(login) {
  const [name, place] = login.split('@');
  return users[name] && JSON.parse(JSON.stringify(users[name]).replaceAll('{place}', place));
}

const server = createServer();
server.listen(port, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients,
    jwks,
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    conformIdTokenClaims: !claimsInIdToken,
    cookies: { keys: ['only for tests'] },
    features: { devInteractions: { enabled: true } },
    findAccount: (_, sub) => claimsOf(sub) && { accountId: sub, claims: () => ({ sub, ...claimsOf(sub) }) },
  });
  server.on('request', provider.callback());
  process.stdout.write(`${issuer}\n`);
});
