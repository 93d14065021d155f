import { KeyRing } from '../../src/platform/crypto/keys.js';
import { SECRET_KEY } from './app.js';

/** What the test servers sign with: for rows that a test writes in their place. */
export const SERVER_KEYS = new KeyRing(Buffer.from(SECRET_KEY));

export const signCredential = (text: string): string => SERVER_KEYS.sign(text, 'credentials');
