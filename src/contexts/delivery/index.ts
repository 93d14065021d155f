export { DELIVERY_WEBHOOKS } from './adapters/webhook.docs.js';
export { DeliveryModule } from './delivery.module.js';
