export * from './tool.ts';
export { withArgs as withArgsOf } from './with-args.ts';
