import { describe, expect, it } from 'vitest';
import { sampleNotice } from '../model/sample-notice.ts';
import {
  ACTION,
  bodyOf,
  HOSTILE,
  hostileNotice,
  OUTPUT,
  reachOf,
  sendWith,
} from '../runtime/plugins/notifier-fixture.ts';
import { slack } from './slack.ts';

const webhook_url = 'https://hooks.slack.com/services/T0/B0/secret';

async function textOf(settings: object = {}, notice = ACTION): Promise<string> {
  return bodyOf(await sendWith(slack, { webhook_url, ...settings }, notice));
}

interface Message {
  readonly text?: string;
  readonly attachments: readonly [
    {
      readonly text?: string;
      readonly color: string;
      readonly fields: readonly { title: string; value: string }[] | null;
    },
  ];
}
const messageOf = async (...given: Parameters<typeof textOf>): Promise<Message> => JSON.parse(await textOf(...given));

/** Every text of a message that has something of the notice in it. */
function textsOf({ text, attachments: [attachment] }: Message): string[] {
  const values = (attachment.fields ?? []).map(({ value }) => value);
  return [text, attachment.text, ...values].filter((each) => each !== undefined);
}

describe('a message to Slack', () => {
  it('is long by default', async () => {
    expect(await sendWith(slack, { webhook_url })).toEqual([
      [
        'http.send',
        {
          method: 'POST',
          headers: { 'Content-Type': 'application/json; charset=utf-8' },
          body:
            '{"text":"[*SUCCESS*][*ACTION*] Rule: `Label on shell` Action: `Mark pod`","username":"Falco Talon",' +
            '"icon_url":"https://upload.wikimedia.org/wikipedia/commons/2/26/Circaetus_gallicus_claw.jpg",' +
            '"attachments":[{"fallback":"","color":"#23ba47","footer":"http://github.com/falcosecurity/falco-talon","fields":[' +
            '{"title":"Rule","value":"`Label on shell`","short":false},{"title":"Action","value":"`Mark pod`","short":false},' +
            '{"title":"Actionner","value":"`kubernetes:label`","short":true},{"title":"Status","value":"`success`","short":true},' +
            '{"title":"Namespace","value":"`shop`","short":true},{"title":"Pod","value":"`cart-6f7d`","short":true},' +
            '{"title":"Event","value":"```A shell was spawned in a container (user=root shell=bash)```","short":false},' +
            '{"title":"Message","value":"`action`","short":false},' +
            '{"title":"Trace ID","value":"`0af7651916cd43dd8448eb211c80319c`","short":false},' +
            '{"title":"Output","value":"```\\nthe pod \'cart-6f7d\' in the namespace \'shop\' has been labeled```","short":false}]}]}\n',
        },
        false,
      ],
    ]);
  });

  it('may be short', async () => {
    const failed = { ...OUTPUT, rule: '', status: 'failure', error: 'no such bucket' } as const;
    expect(await textOf({ format: 'short', icon: 'https://example.org/claw.jpg' }, failed)).toBe(
      '{"username":"Falco Talon","icon_url":"https://example.org/claw.jpg","attachments":[{"fallback":"","color":"#e20b0b",' +
        '"text":"[*FAILURE*][*OUTPUT*] Action: `Capture` OutputTarget: `aws:s3`","fields":null}]}\n',
    );
  });

  it('leaves out what is empty', async () => {
    const body = await textOf({ icon: '', username: '', footer: '' });
    for (const key of ['username', 'icon_url', 'footer']) expect(JSON.parse(body)).not.toHaveProperty(key);
    expect(body).not.toContain('footer');
  });

  it('names error, target and result', async () => {
    const { attachments } = await messageOf({}, { ...OUTPUT, error: 'e', result: 'r' });
    expect(attachments[0].fields?.slice(-5)).toEqual([
      { title: 'Error', value: '`e`', short: false },
      { title: 'OutputTarget', value: '`aws:s3`', short: false },
      { title: 'Trace ID', value: '`0af7651916cd43dd8448eb211c80319c`', short: false },
      { title: 'Result', value: '`r`', short: false },
      { title: 'Output', value: expect.stringMatching(/^```\nthe file/), short: false },
    ]);
  });

  it.each([
    ['success', '#23ba47'],
    ['failure', '#e20b0b'],
    ['ignored', '#a4a8b1'],
    ['denied', '#a4a8b1'],
    ['parked', '#e2a20b'],
  ] as const)('says %s in the colour %s', async (status, color) => {
    const notice = sampleNotice('action', status, ACTION.time);
    const { text, attachments } = await messageOf({}, notice);
    expect(text).toMatch(new RegExp(`^\\[\\*${status.toUpperCase()}\\*\\]\\[\\*ACTION\\*\\] Rule: `));
    expect(attachments[0].color).toBe(color);
  });

  it.each(HOSTILE)('shows any text as text: %.20s', async (text) => {
    for (const format of ['long', 'short']) {
      const body = await textOf({ format }, hostileNotice(text));
      expect(body.length).toBeLessThan(40_000);
      for (const shown of textsOf(JSON.parse(body))) {
        expect(shown.length).toBeLessThanOrEqual(3_000);
        expect(shown).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        expect(shown).not.toMatch(/[\0-\x08\x0b-\x1f\u202a-\u202e\ud800-\udbff]$|[\0-\x08\x0b-\x1f\u202a-\u202e]/u);
        expect(shown).toMatch(/^(```[^`]*```|`[^`\n]*`|\[\*[^`]*(`[^`\n]*`[^`]*)*)$/);
      }
    }
  });

  it('leads to the webhook', () => {
    expect(reachOf(slack, { webhook_url })).toEqual({ endpoint: { url: webhook_url, headers: {} } });
    expect(() => reachOf(slack, {})).toThrow('wrong `webhook_url` setting');
    expect(() => reachOf(slack, { webhook_url: 'hooks.slack.com' })).toThrow('invalid url');
  });

  it('fails when it is not taken', async () => {
    const answers = [{ status: 404, body: 'no_team' }];
    await expect(sendWith(slack, { webhook_url }, ACTION, { answers })).rejects.toThrow('resource not found');
  });
});
