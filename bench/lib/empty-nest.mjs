/**
 * The baseline of the framework: one route of Nest on Fastify that parses the JSON and returns a small object. No pipe, no guard, no log.
 */
import 'reflect-metadata';
import { Body, Controller, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

class EventsController {
  publish(_topic, _body) {
    return { events: [{ id: 'evt_0', position: 1, duplicate: false }], firstPosition: 1, lastPosition: 1 };
  }
}

const route = [EventsController.prototype, 'publish'];
Param()(...route, 0);
Body()(...route, 1);
Post()(...route, Object.getOwnPropertyDescriptor(...route));
Controller('tenants/:tenantId/namespaces/:namespaceId/topics/:topicId/events')(EventsController);

class AppModule {}
Module({ controllers: [EventsController] })(AppModule);

const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false });
await app.listen(Number(process.env.PORT), '127.0.0.1');
