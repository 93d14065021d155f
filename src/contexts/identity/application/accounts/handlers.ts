import { ActivateUserHandler } from './activate-user.js';
import { ChangeUserHandler } from './change-user.js';
import { CreateUserHandler } from './create-user.js';
import { DeleteUserHandler } from './delete-user.js';
import { SuspendUserHandler } from './suspend-user.js';
import { GetUserHandler, ListUsersHandler } from './users.js';

export const ACCOUNT_HANDLERS = [
  CreateUserHandler,
  ChangeUserHandler,
  SuspendUserHandler,
  ActivateUserHandler,
  DeleteUserHandler,
  GetUserHandler,
  ListUsersHandler,
];
