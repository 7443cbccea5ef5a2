// The standalone rescue reader.
process.exitCode = 1;
