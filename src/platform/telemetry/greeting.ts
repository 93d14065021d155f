export interface Greeted {
  readonly url: string;
  readonly firstAccess: InitialCredentials | undefined;
}

interface InitialCredentials {
  readonly email: string;
  readonly password: string | undefined;
  readonly apiKey: string | undefined;
  readonly apiKeyFile: string | undefined;
}

export interface GreetingFacts {
  readonly version: string;
  readonly profile: string;
  readonly docs: boolean;
  readonly allowedCidrs: readonly string[];
}

/** What the operator needs after a start: where the server is, how to get in, what to type next. */
export function greeting(
  { url, firstAccess }: Greeted,
  { version, profile, docs, allowedCidrs }: GreetingFacts,
): string {
  const lines = [
    '',
    `Event Store ${version} (${profile}) listens on ${url}`,
    ...(docs ? [`  Swagger UI  ${url}/docs`] : []),
    `  OpenAPI     ${url}/openapi.json`,
  ];
  if (allowedCidrs.length > 0)
    lines.push(`  Webhooks may reach ${allowedCidrs.join(', ')} (setting DELIVERY_ALLOWED_CIDRS).`);
  if (firstAccess) {
    const { email, password, apiKey, apiKeyFile } = firstAccess;
    lines.push('', 'This is the first start. What follows is shown this once:');
    lines.push(`  Administrator  ${email}`);
    if (password !== undefined) lines.push(`  Password       ${password}`);
    if (apiKey !== undefined) lines.push(`  API key        ${apiKey}  (for 30 days)`);
    if (apiKeyFile !== undefined)
      lines.push(`  API key        ${apiKeyFile}  (a file that only you can read; for 30 days)`);
  }
  const key = keyInShell(firstAccess);
  lines.push('', 'Next, in another terminal:');
  lines.push(`  curl -s ${url}/tenants -H "X-API-Key: ${key}" -H 'Content-Type: application/json' -d '{"id":"acme"}'`);
  lines.push(`  API_KEY="${key}" npm run demo`, '', '');
  return lines.join('\n');
}

/** Between double quotes. */
function keyInShell(firstAccess: InitialCredentials | undefined): string {
  if (firstAccess?.apiKeyFile === undefined) return firstAccess?.apiKey ?? '<your API key>';
  return `$(cat '${firstAccess.apiKeyFile.replaceAll("'", `'\\''`)}')`;
}
