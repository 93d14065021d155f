export interface Greeted {
  readonly url: string;
  readonly firstAccess:
    { readonly email: string; readonly password: string | undefined; readonly apiKey: string } | undefined;
}

export interface GreetingFacts {
  readonly version: string;
  readonly profile: string;
  readonly allowedCidrs: readonly string[];
}

/** What somebody who has just started the server wants to know: where it is, how to get in, what to type next. */
export function greeting({ url, firstAccess }: Greeted, { version, profile, allowedCidrs }: GreetingFacts): string {
  const lines = [
    '',
    `Event Store ${version} (${profile}) listens on ${url}`,
    `  Swagger UI  ${url}/docs`,
    `  OpenAPI     ${url}/openapi.json`,
  ];
  if (allowedCidrs.length > 0)
    lines.push(`  Webhooks may reach ${allowedCidrs.join(', ')} (setting DELIVERY_ALLOWED_CIDRS).`);
  if (firstAccess) {
    lines.push('', 'This is the first start. What follows is shown this once:');
    lines.push(`  Administrator  ${firstAccess.email}`);
    if (firstAccess.password !== undefined) lines.push(`  Password       ${firstAccess.password}`);
    lines.push(`  API key        ${firstAccess.apiKey}`);
  }
  const key = firstAccess?.apiKey ?? '<your API key>';
  lines.push('', 'Next, in another terminal:');
  lines.push(`  curl -s ${url}/tenants -H 'X-API-Key: ${key}' -H 'Content-Type: application/json' -d '{"id":"acme"}'`);
  lines.push(`  API_KEY='${key}' npm run demo`, '', '');
  return lines.join('\n');
}
