import { Mailer, type Mail } from './mailer.js';
import { Outbox } from './outbox.js';

const mail = { to: 'jane@example.test', subject: 's', text: 't' };

class TestMailer extends Mailer {
  readonly delivers = true;
  readonly sent: Mail[] = [];
  failures = 0;
  atOnce = 0;
  most = 0;
  closed = false;

  async send(one: Mail): Promise<void> {
    this.most = Math.max(this.most, ++this.atOnce);
    await new Promise(setImmediate);
    this.atOnce--;
    if (this.failures-- > 0) throw new Error('no');
    this.sent.push(one);
  }

  close(): void {
    this.closed = true;
  }
}

describe('the outbox', () => {
  it('sends in the background, two at once, and ends when all is sent', async () => {
    const mailer = new TestMailer();
    const outbox = new Outbox(mailer, () => undefined);
    for (let n = 0; n < 10; n++) expect(outbox.add(() => Promise.resolve(mail))).toBe(true);
    expect(outbox.add(() => Promise.resolve(undefined))).toBe(true);
    expect(mailer.sent).toHaveLength(0);
    await outbox.onApplicationShutdown();
    expect([mailer.sent.length, mailer.most, mailer.closed]).toEqual([10, 2, true]);
  });

  it('reports what fails, and continues with the next', async () => {
    const mailer = new TestMailer();
    mailer.failures = 1;
    const failures: [number, boolean][] = [];
    const outbox = new Outbox(mailer, (_, attempt, final) => failures.push([attempt, final]));
    outbox.add(() => Promise.resolve(mail));
    outbox.add(() => Promise.reject(new Error('the store is away')));
    outbox.add(() => Promise.resolve(mail));
    await outbox.onApplicationShutdown();
    expect(failures.toSorted()).toEqual([
      [1, false],
      [1, true],
    ]);
    expect(mailer.sent).toHaveLength(1);
  });

  it('accepts a thousand, not more', () => {
    const outbox = new Outbox(new TestMailer(), () => undefined);
    expect(outbox.isFull).toBe(false);
    const taken = Array.from({ length: 1_001 }, () => outbox.add(() => Promise.resolve(undefined)));
    expect([taken.lastIndexOf(true), outbox.isFull]).toEqual([999, true]);
  });
});
