import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The response that comes next on a connection, undefined when all requests are answered. Node keeps it on the socket, and
 * puts the following one there as soon as it has ended; its own handling of unreadable requests relies on it.
 */
export function pendingResponse(socket: Socket): ServerResponse | undefined {
  return (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;
}
