export { configure } from './configure.ts'
export { stubsRoot } from './stubs/main.ts'
export { defineConfig } from './src/config.ts'
export * as errors from './src/errors.ts'
export { JobFailedException } from './src/errors.ts'
export { Job } from './src/jobs/job.ts'
export { QueueManager } from './src/jobs/queue_manager.ts'
export { batch, chain, DispatchedFlow, FlowBuilder } from './src/jobs/flow_builder.ts'
export type { FlowPart } from './src/jobs/flow_builder.ts'
export { DEEPEST_PAYLOAD } from './src/jobs/serialise.ts'
export { JobHandle } from './src/jobs/job_handle.ts'
export { JobScheduleBuilder } from './src/jobs/job_schedule_builder.ts'
export { ScheduleBuilder } from './src/jobs/schedule_builder.ts'
export { FakeQueue } from './src/jobs/fake_queue.ts'
export type { JobContext, JobInfo } from './src/jobs/job_context.ts'
export type {
  JobOptions,
  DispatchOptions,
  BackoffOptions,
  Duration,
  Progress,
  ProgressDetails,
  AwaitedJob,
  AwaitedResult,
  WaitForOptions,
} from './src/types.ts'
