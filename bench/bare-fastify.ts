import Fastify from 'fastify';

/** The yardstick of the ingest benchmark: Fastify that takes a raw body and answers 200. Prints its port when it listens. */
const app = Fastify({ logger: false });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/*', (_request, reply) => {
  reply.code(200).send();
});
await app.listen({ host: '127.0.0.1', port: 0 });
const address = app.server.address();
console.log(`listening on ${typeof address === 'object' && address ? address.port : ''}`);
