// Orders, with NestJS: on the roll while it is ready, and off it without a failed call.
import { NestFactory } from '@nestjs/core';
import { AppModule } from './orders.js';

const { env } = process;
const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
app.enableShutdownHooks();
await app.listen(Number(env['PORT'] ?? 0), env['HOST'] ?? '127.0.0.1');
console.log(`orders at ${await app.getUrl()}`);
