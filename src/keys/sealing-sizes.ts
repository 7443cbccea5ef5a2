/** Sizes of what `sealing.ts` makes, for those that do not seal: the library it takes is slow to load, and threads need none of it. */

/** Bytes of a public sealing key: ML-KEM-768 (1184), then X25519 (32). */
export const SEALING_PUBLIC_BYTES = 1216;
/** Bytes of an encapsulated secret: ML-KEM-768 (1088), then X25519 (32). */
export const ENCAPSULATED_BYTES = 1120;
/** What sealing adds to a plaintext: the encapsulated secret before it and the AEAD tag after it. */
export const SEAL_OVERHEAD = ENCAPSULATED_BYTES + 16;
