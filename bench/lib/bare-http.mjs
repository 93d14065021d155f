/** The baseline below every framework: reads the request, responds 201. */
import { createServer } from 'node:http';

const ANSWER = '{"events":[{"id":"evt_0","position":1,"duplicate":false}],"firstPosition":1,"lastPosition":1}';

createServer((request, response) => {
  request.on('data', () => undefined);
  request.on('end', () => {
    response.writeHead(201, { 'content-type': 'application/json', 'content-length': ANSWER.length });
    response.end(ANSWER);
  });
}).listen(Number(process.env.PORT), '127.0.0.1');
