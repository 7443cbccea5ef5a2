// moto takes the advice of cfn-lint for errors, and so refuses a `DependsOn` that says what a reference says already; AWS does not mind it.
// oxlint-disable-next-line typescript/no-extraneous-class -- plugins are classes
module.exports = class {
  constructor(serverless) {
    this.hooks = {
      'before:aws:package:finalize:saveServiceState': () => {
        for (const resource of Object.values(serverless.service.provider.compiledCloudFormationTemplate.Resources)) {
          const { DependsOn, ...rest } = resource;
          const needed = [DependsOn ?? []].flat().filter((id) => !JSON.stringify(rest).includes(`"${id}"`));
          if (needed.length > 0) resource.DependsOn = needed;
          else delete resource.DependsOn;
        }
      },
    };
  }
};
