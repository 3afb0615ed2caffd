-- How far a group is on a stream is a number stored under its name, and it is stored before or after the work.
--
-- C stores the offset of what it has got and then works on it: it dies in between, begins behind it when it is back, and
-- that work is never done. C works and then stores: it dies in between, and what it has done it does again. Three workers and
-- the highest offset that one of them has finished: what the slower ones had in hand is passed over. There is no fourth
-- order.
--
-- Where the result goes to a stream, it can carry the offset of its source as its publishing id. What is done again is then
-- left out there: the results hold each bill once.
--
-- Source: RabbitMQ, Streams (offset tracking); "effectively once processing" (publishing id = offset of the source).
local function bills(c)
  c:sleep(ms(500))
  local last = c:call("last_publishing_id", "bills").position or -1
  c:subscribe("orders")
  while true do
    for _, m in ipairs(c:poll(seconds(1), 1)) do
      if m.position + 1 > last then
        c:sleep(ms(400))
        c:call("publishing_id", tostring(m.position + 1))
        c:send("bills", { body = "bill for " .. m.body })
        last = m.position + 1
      end
      c:processed(m)
      if m.position % 4 == 3 then c:commit() end
    end
  end
end

return scenario {
  title = "Stream: an offset stored before or after the work",
  cluster = rabbitmq {},
  topics = { orders = { queue_type = "stream" }, bills = { queue_type = "stream" } },
  clients = {
    producer "P1" { topic = "orders", records = 12, every = ms(10), start_at = seconds(1) },
    consumer "C" { topics = { "orders" }, group = "g", max_poll = 3, work = ms(400), effect = "mail", prefetch = 10 },
    client "B" { program = bills, group = "b", prefetch = 10, offset_tracking = "manual", producer_name = "biller" },
  },
  faults = { at(ms(3500), kill "C" { duration = seconds(2) }, kill "B" { duration = seconds(2) }) },
  run_for = seconds(30),
  expect = { holds "lost-message" },
  cases = {
    case "stored, then done" {
      why = "What was stored and not done is behind it.",
      set = { commit = "before" },
      expect = { violates "effect-lost", violates "commit-ahead-of-processing", holds "effect-duplicate" },
    },
    case "done, then stored" {
      why = "What was done and not stored is before it.",
      set = { commit = "after" },
      expect = { holds "effect-lost", violates "effect-duplicate" },
    },
    case "three workers, and the highest" {
      why = "One is ahead of the others.",
      set = { commit = "highest", workers = 3, max_poll = 12, work_slow_message = "P1-4", work_slow = seconds(5) },
      expect = { violates "effect-lost" },
    },
    case "stored now and then by the library" {
      why = "It stores what was settled, every five seconds.",
      expect = { holds "effect-lost", violates "effect-duplicate" },
    },
    case "bills with the offset of their order" {
      why = "What is there already is left out.",
      expect = { holds "duplicate" },
    },
    case "bills without" {
      why = "What is done again is there again.",
      set = { ["B.producer_name"] = "" },
      expect = { violates "duplicate" },
    },
  },
}
