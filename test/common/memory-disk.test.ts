import { SystemClock } from '../../src/common/clock.ts'
import { MemoryDisk } from '../../src/common/memory-disk.ts'
import { testDisk } from './disk-contract.ts'

const disk = new MemoryDisk(new SystemClock())
disk.makeDirectory('/some/root')
testDisk(disk, '/some/root')
