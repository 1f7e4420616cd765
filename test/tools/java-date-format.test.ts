import assert from 'node:assert/strict'
import { test } from 'node:test'
import { javaDateFormat } from '../../src/tools/support/java-date-format.ts'

const write = (pattern: string, date: Date) => javaDateFormat(pattern)(date.getTime())

test('times are written as SimpleDateFormat writes them', () => {
  const afternoon = new Date(2026, 1, 3, 14, 5, 6, 7)
  assert.equal(write('yyyy-MM-dd HH:mm:ss:SSS', afternoon), '2026-02-03 14:05:06:007')
  assert.equal(write('d.M.yy h:m:s,S a', afternoon), '3.2.26 2:5:6,7 PM')
  assert.equal(write('EEE EEEE MMM MMMM D', afternoon), 'Tue Tuesday Feb February 34')
  assert.equal(write("HH 'o''clock' ''yy''", afternoon), "14 o'clock '26'")
})

test('midnight is 0, 12 or 24', () => {
  assert.equal(write('H K h k a', new Date(2026, 0, 1, 0, 30)), '0 0 12 24 AM')
  assert.equal(write('H K h k a', new Date(2026, 0, 1, 12, 30)), '12 0 12 12 PM')
})

test('what is no pattern is refused', () => {
  assert.throws(() => javaDateFormat('yyyy bb'), { message: "Illegal pattern character 'b'" })
  assert.throws(() => javaDateFormat("HH 'clock"), { message: 'Unterminated quote' })
})
