// Bundles the functions for serverless.yml. Plain JavaScript, because that is what the framework loads; the work is done in package.ts.
// oxlint-disable-next-line typescript/no-extraneous-class -- plugins are classes
module.exports = class LifeboatFunctions {
  constructor(serverless) {
    const pack = async () => {
      const { packageFunctions } = await import('./package.ts');
      const { serviceDir, service, serviceOutputDirPath } = serverless;
      await packageFunctions({ folder: serviceDir, functions: service.functions, output: serviceOutputDirPath });
    };
    const offline = async () => {
      await pack();
      const { withoutScheduler } = await import('./package.ts');
      withoutScheduler(serverless.service.functions);
    };
    this.hooks = {
      'before:package:createDeploymentArtifacts': pack,
      'before:deploy:function:packageFunction': pack,
      'before:offline:start': offline,
      'before:offline:start:init': offline,
    };
  }
};
