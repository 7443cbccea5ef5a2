/** Of lifeboat, as the bundler puts it in; bundles have no package.json beside them. */
declare const LIFEBOAT_VERSION: string | undefined;

export const VERSION: string = typeof LIFEBOAT_VERSION === 'string' ? LIFEBOAT_VERSION : '0.0.0';
