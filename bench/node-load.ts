import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { COUNTER, type Load } from './load.ts';

/** The load generator for machines without wrk, in a process of its own. Prints what `load.ts` reads. */
const { port, bodies, seconds, connections } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Load;
const requests = bodies.map((body) =>
  Buffer.from(
    `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  ),
);
const end = performance.now() + seconds * 1000;
const latencies: number[] = [];
let next = 0;
let number = Date.now() % 1e8;
let failed = 0;

const begun = performance.now();
await Promise.all(Array.from({ length: connections }, () => runConnection()));
const duration = performance.now() - begun;
latencies.sort((a, b) => a - b);
const at = (share: number) =>
  Math.round((latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0) * 1e3);
console.log(['RESULT', latencies.length, Math.round(duration * 1e3), at(0.5), at(0.99), at(1), failed].join(' '));

/** Sends one request after the other until the time is over. Answers to alerts have no body. */
function runConnection(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let sent = 0;
    let received = '';
    const send = () => {
      sent = performance.now();
      socket.write(numbered(requests[next++ % requests.length] as Buffer));
    };
    socket.on('connect', send);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (!received.endsWith('\r\n\r\n')) return;
      latencies.push(performance.now() - sent);
      if (!received.startsWith('HTTP/1.1 200 ')) failed++;
      received = '';
      if (performance.now() < end) send();
      else socket.end();
    });
    socket.on('error', () => failed++);
    socket.on('close', () => resolve());
  });
}

/** The request with a number of its own, where it is to have one. */
function numbered(request: Buffer): Buffer {
  const place = request.indexOf(COUNTER);
  if (place < 0) return request;
  const own = Buffer.from(request);
  own.write(String(number++).padStart(COUNTER.length, '0'), place, 'latin1');
  return own;
}
