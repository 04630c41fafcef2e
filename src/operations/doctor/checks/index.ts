import type { Check } from '../check.ts'
import { cleanup } from './cleanup.ts'
import { clocks } from './clocks.ts'
import { jobFiles } from './job_files.ts'
import { jobTypes } from './job_types.ts'
import { limitsExhausted } from './limits_exhausted.ts'
import { mirror } from './mirror.ts'
import { orphans } from './orphans.ts'
import { queuesConfigured } from './queues_configured.ts'
import { queuesPaused } from './queues_paused.ts'
import { queuesUnserved } from './queues_unserved.ts'
import { redisEviction } from './redis_eviction.ts'
import { redisKeys } from './redis_keys.ts'
import { redisMemory } from './redis_memory.ts'
import { redisPersistence } from './redis_persistence.ts'
import { redisVersion } from './redis_version.ts'
import { strays } from './strays.ts'
import { streams } from './streams.ts'
import { workers } from './workers.ts'

/** Everything that is looked at once it is known which servers answer, in the order of the report. */
export const CHECKS: readonly Check[] = [
  redisVersion,
  redisMemory,
  redisEviction,
  redisPersistence,
  redisKeys,
  queuesUnserved,
  queuesPaused,
  limitsExhausted,
  mirror,
  workers,
  clocks,
  streams,
  orphans,
  strays,
  cleanup,
  jobTypes,
  jobFiles,
  queuesConfigured,
]
