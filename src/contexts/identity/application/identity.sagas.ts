import { Injectable } from '@nestjs/common';
import { Saga, type ICommand } from '@nestjs/cqrs';
import { map, mergeMap, type Observable } from 'rxjs';
import type { StoredEvent } from '../../../platform/event-log/index.js';
import {
  causeOf,
  dueFor,
  missed,
  noticedIn,
  subscriptionTo,
  type ManagementEvent,
} from '../../../platform/sagas/index.js';
import type { UserEvent } from '../domain/user.js';
import { RevokeKeysOfUser } from './api-keys/user-key-revocation.js';
import { ForgetTokens, ForgetApiKeys } from './authentication/forget-credentials.js';

const ACTS_OF_USERS = subscriptionTo('users', 'identity:key-revocation');
export const IDENTITY_SUBSCRIPTIONS = [ACTS_OF_USERS];

/** What follows from events of users, sessions and API keys. */
@Injectable()
export class IdentitySagas {
  @Saga()
  forgetTokens(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      noticedIn('users', 'sessions'),
      map(
        ({ log, event: { stream } }) =>
          new ForgetTokens(log === 'users' ? { userId: stream! } : { sessionId: stream! }),
      ),
    );
  }

  @Saga()
  forgetApiKeys(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      noticedIn('users', 'apiKeys'),
      map(
        ({ log, event: { stream } }) => new ForgetApiKeys(log === 'users' ? { userId: stream! } : { keyId: stream! }),
      ),
    );
  }

  @Saga()
  forgetAllCredentials(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      missed,
      mergeMap(() => [new ForgetTokens('everybody'), new ForgetApiKeys('everybody')]),
    );
  }

  @Saga()
  revokeKeysOfUsers(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      dueFor(ACTS_OF_USERS),
      mergeMap(({ events, signal }) =>
        events.flatMap((stored) => {
          const until = keysEndUntil(stored);
          if (until === undefined) return [];
          return [new RevokeKeysOfUser(stored.stream!, until, stored.recordedAt, causeOf(stored), signal)];
        }),
      ),
    );
  }
}

const DELETED: UserEvent['type'] = 'user.deleted';
const PASSWORD_CHANGED: UserEvent['type'] = 'user.password-changed';

/** Keys created until then are revoked; undefined: none. After a password change, keys created since then stay. */
function keysEndUntil({ type, data, recordedAt }: StoredEvent): number | undefined {
  if (type === DELETED) return Infinity;
  const revokes = type === PASSWORD_CHANGED && (JSON.parse(data) as { revokesApiKeys?: true }).revokesApiKeys;
  return revokes ? recordedAt : undefined;
}
