import { stringify } from 'yaml';
import type { Credential } from './certificates.ts';

/** How somebody is known to an API server. */
export type Login = { readonly token: string } | Credential;

/** A kubeconfig with one context, called like the site, that is the current one. */
export function kubeconfig(site: string, server: string, authority: string, user: string, login: Login): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: site, cluster: { server, 'certificate-authority-data': base64(authority) } }],
    users: [
      {
        name: user,
        user:
          'token' in login
            ? { token: login.token }
            : {
                'client-certificate-data': base64(login.certificate),
                'client-key-data': base64(login.key),
              },
      },
    ],
    contexts: [{ name: site, context: { cluster: site, user } }],
    'current-context': site,
  });
}
