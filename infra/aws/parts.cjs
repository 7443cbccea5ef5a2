// What serverless.yml takes from lifeboat.yaml and lifeboat.aws.yaml. Plain JavaScript, because that is what `${file(…)}` loads.
module.exports = async ({ resolveVariable }) => {
  const [service, stage, region, configFile, settingsFile] = await Promise.all([
    resolveVariable('self:service'),
    resolveVariable('sls:stage'),
    resolveVariable('self:provider.region'),
    resolveVariable("env:LIFEBOAT_CONFIG, 'lifeboat.yaml'"),
    resolveVariable("env:LIFEBOAT_AWS, 'lifeboat.aws.yaml'"),
  ]);
  const { parts } = await import('./parts.ts');
  try {
    return await parts({ service, stage, region, folder: process.cwd(), configFile, settingsFile, now: Date.now() });
  } catch (error) {
    // The stack would hide what is to be done.
    if (error.name === 'LifeboatError' || error.name === 'ConfigError') error.stack = [error.message, error.where && `  at ${error.where}`, error.hint && `  fix: ${error.hint}`, `  code: ${error.code}`].filter(Boolean).join('\n');
    throw error;
  }
};
