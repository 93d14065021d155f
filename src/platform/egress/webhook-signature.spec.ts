import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { generateSigningSecret, Signer } from './webhook-signature.js';

const now = Math.floor(Date.now() / 1_000);
const headersOf = (id: string, timestamp: number, signature: string): Record<string, string> => ({
  'webhook-id': id,
  'webhook-timestamp': String(timestamp),
  'webhook-signature': signature,
});

describe('signing', () => {
  it('makes the signature of the published test vector', () => {
    const signer = new Signer(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw']);
    const signature = signer.sign('msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}');
    expect(signature).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it.each(['{"price": 1.0, "name": "Zoë 🎈"}', '', '{"a":18446744073709551615}'])(
    'is accepted by the reference library: %s',
    (body) => {
      const secret = generateSigningSecret();
      const headers = headersOf('msg_1', now, new Signer([secret]).sign('msg_1', now, Buffer.from(body)));
      const webhook = new Webhook(secret);
      expect(() => webhook.verify(body, headers, { jsonParse: false })).not.toThrow();
      expect(() => webhook.verify(`${body} `, headers, { jsonParse: false })).toThrow('No matching signature');
    },
  );

  it('gives text and its bytes the same signature', () => {
    const signer = new Signer([generateSigningSecret()]);
    expect(signer.sign('msg_1', now, '{"ü":1}')).toBe(signer.sign('msg_1', now, Buffer.from('{"ü":1}')));
  });

  it('is accepted by holders of the old and of the new secret during a rotation', () => {
    const secrets = [generateSigningSecret(), generateSigningSecret()];
    const headers = headersOf('msg_1', now, new Signer(secrets).sign('msg_1', now, '{}'));
    for (const secret of secrets) expect(() => new Webhook(secret).verify('{}', headers)).not.toThrow();
    expect(() => new Webhook(generateSigningSecret()).verify('{}', headers)).toThrow('No matching signature');
  });

  it('takes secrets with and without prefix and refuses what is not base64', () => {
    const secret = generateSigningSecret();
    expect(new Signer([secret.slice('whsec_'.length)]).sign('a', 1, '')).toBe(new Signer([secret]).sign('a', 1, ''));
    expect(() => new Signer(['whsec_'])).toThrow('base64');
    expect(() => new Signer(['whsec_not base64!'])).toThrow('base64');
  });
});

describe('a new secret', () => {
  it('is whsec_ and 32 bytes from the random source', () => {
    const bytes = randomBytes(32);
    expect(generateSigningSecret(() => bytes)).toBe(`whsec_${bytes.toString('base64')}`);
  });

  it('differs each time', () => {
    expect(generateSigningSecret()).not.toBe(generateSigningSecret());
  });
});
