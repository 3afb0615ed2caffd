-- A reader was away for a minute. How long does it take until it is up to date?
--
-- Twenty records come each second, and K is stopped from 60 s to 120 s: a new version is rolled out. Twelve hundred
-- wait for it, and twenty more come with every second that it works. What is left over of its speed eats the lag:
--
--   time to catch up = (time away x arriving) / (speed - arriving)
--
-- With 25 ms a record it does forty a second and is up to date a minute later. With 40 ms it does twenty-five; that is
-- enough on every quiet day, and after one minute away it takes four. With 50 ms it is never up to date again, and no
-- error and no other number tells: K is busy, commits, and makes no mistake.
--
-- K writes down its lag every ten seconds: the end of the partition less its position.
--
-- Source: arithmetic; the lag is what kafka-consumer-groups --describe shows as LAG (records-lag in the client).
local function follow(c)
  c:subscribe("orders")
  local position, told, was_behind = 0, seconds(0), false
  while true do
    for _, m in ipairs(c:poll(seconds(1))) do
      c:sleep(c.options.work)
      c:processed(m)
      position = m.position + 1
      if c:now() - told >= seconds(10) then
        told = c:now()
        local lag = c:end_offset("orders/0").position - position
        c:mark("lag", "" .. lag)
        was_behind = was_behind or lag > 1000
        if was_behind and lag < 50 then
          c:mark("caught_up")
          was_behind = false
        end
        if told > minutes(7) and lag > 1000 then c:mark("still_behind") end
      end
    end
  end
end

return scenario {
  title = "A minute away, and the time to make up for it",
  chapter = "docs/kafka/06-retention-compaction-and-lag.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  marks = { "lag", "caught_up", "still_behind" },
  clients = {
    producer "P" { topic = "orders", records = 8400, every = ms(50), start_at = seconds(10) },
    client "K" { group = "billing", auto_offset_reset = "earliest", program = follow },
  },
  faults = { at(seconds(60), stop "K" { duration = seconds(60) }) },
  run_for = minutes(9),
  expect = { holds "lost-message" },
  cases = {
    case "work=25ms" { why = "Twice as fast.", set = { work = ms(25) }, expect = { reaches "caught_up" } },
    case "work=40ms" { why = "A quarter faster.", set = { work = ms(40) }, expect = { reaches "caught_up" } },
    case "work=50ms" { why = "Just as fast.", set = { work = ms(50) }, expect = { reaches "still_behind" } },
  },
}
