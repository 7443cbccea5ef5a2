import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

/** Connections of one vault at a time: enough for parallel packs and parts, few enough for a small server. */
const CONNECTIONS = 16;

/** The connections of one vault. */
export interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
  destroy(): void;
}

/** Connections that are kept open between calls, for whichever of the two schemes is spoken. */
export function createAgents(): Agents {
  const settings = { keepAlive: true, maxSockets: CONNECTIONS };
  const http = new HttpAgent(settings);
  const https = new HttpsAgent(settings);
  return {
    http,
    https,
    destroy: () => {
      http.destroy();
      https.destroy();
    },
  };
}
