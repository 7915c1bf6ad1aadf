/** Passes on what comes to a socket in the file system to a port of 127.0.0.1: `forward-inside.ts SOCKET PORT`. */
import { forward } from './forward.ts';

const [path = '', port] = process.argv.slice(2);
await forward({ path }, { host: '127.0.0.1', port: Number(port) });
