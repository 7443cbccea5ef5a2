import { z } from 'zod';

/** Numbers of 64 bits come as text. */
const int64 = z.string().regex(/^[0-9]+$/);

/** What lifeboat looks at in the description of an object (JSON API reference, "Objects"). */
export const objectSchema = z.object({
  name: z.string(),
  size: int64.transform(Number),
  generation: int64,
  md5Hash: z.string().optional(),
  crc32c: z.string().optional(),
  timeDeleted: z.string().optional(),
  retention: z.object({ mode: z.string(), retainUntilTime: z.coerce.date() }).optional(),
});

export type GcsObject = z.infer<typeof objectSchema>;

/** The members of `objectSchema`: asking for no more makes answers small. */
export const OBJECT_FIELDS = 'name,size,generation,md5Hash,crc32c,timeDeleted,retention';

/** A page of a listing (JSON API reference, "Objects: list"). */
export const pageSchema = z.object({
  items: z.array(objectSchema).optional(),
  nextPageToken: z.string().optional(),
});

/** The mode of a lock, as Google calls it: a locked one nobody can end. */
export type GcsLockMode = 'Locked' | 'Unlocked';
