import { fileURLToPath } from 'node:url';

/** What `npx lifeboat` starts. It is built anew when tests begin (`build.ts`). */
export const LAUNCHER = fileURLToPath(new URL('../../dist/cli/lifeboat.js', import.meta.url));
