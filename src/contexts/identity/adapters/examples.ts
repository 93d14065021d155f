import { bodyExample } from '../../../platform/http/document-examples.js';
import { CreateApiKeyBody, RotateApiKeyBody } from './api-keys.dto.js';
import {
  ChangeUserBody,
  CreateUserBody,
  LoginBody,
  PasswordChangeBody,
  RefreshBody,
  ResetBody,
  ResetRequestBody,
  SuspendUserBody,
} from './identity.dto.js';

const email = 'jane@acme.example';
const password = 'a kettle hums at dawn';
const nextPassword = 'two herons cross the weir';

/** What Jane does: the example of a user creates her, then she logs in and changes her password twice. */
export const IDENTITY_EXAMPLES = [
  bodyExample(CreateUserBody, { email, name: 'Jane Doe', password }),
  bodyExample(ChangeUserBody, { name: 'Jane Roe' }),
  bodyExample(SuspendUserBody, { reason: 'On leave until May.' }),
  bodyExample(LoginBody, { email, password }),
  bodyExample(RefreshBody, { refreshToken: 'esr_3kTMd9ZxQw1a7Lp2' }),
  bodyExample(PasswordChangeBody, { currentPassword: password, newPassword: nextPassword }),
  bodyExample(ResetRequestBody, { email }),
  bodyExample(ResetBody, {
    token: 'epr_9ZxQw1a3kTMd7Lp2',
    newPassword: 'seven lanterns on a barge',
  }),
  bodyExample(CreateApiKeyBody, {
    name: 'checkout service',
    scopes: [{ tenant: 'acme', namespace: 'shop', topic: 'orders' }],
    actions: ['event:publish', 'topic:*'],
    allowedCidrs: ['203.0.113.0/24', '2001:db8::/32'],
  }),
  bodyExample(RotateApiKeyBody, { gracePeriodSeconds: 3_600 }),
];
