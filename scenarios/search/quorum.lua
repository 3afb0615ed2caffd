-- Quorum queues under kills, losses of power and cuts: what was confirmed is not lost.
--
-- Three brokers, each with a replica. Two producers with confirms, two consumers with acknowledgements, and at any
-- moment one broker may end, lose its power, stand still or be cut off. The queue promises that nothing it confirmed
-- is lost, whatever happens to one machine at a time; it promises nothing about duplicates.
--
-- Of seeds 1 to 10,000, with either release, none loses a confirmed message, and all come to rest. Two did not before they
-- were looked at: a log that was gone after two ends in a row, and a consumer that a dead process had asked for.
--
--   mqlab hunt scenarios/search/quorum.lua --budget 1000
local faults = {}
local function may(weight, fault)
  for _ = 1, weight do faults[#faults + 1] = fault end
end
for _, long in ipairs { ms(800), seconds(4) } do
  may(2, kill "one broker" { duration = long })
  may(2, power "one broker" { duration = long })
  may(1, pause "one broker" { duration = long })
end
for _, long in ipairs { seconds(3), seconds(12) } do may(2, isolate "one broker" { duration = long }) end
for _, who in ipairs { "P1", "P2", "C1" } do may(1, reset_streams { from = who }) end
for _, kind in ipairs { "AppendEntries", "AppendReply", "QuorumRequest", "QuorumAnswer", "QuorumEffect" } do may(1, delay(kind) { amount = seconds(2) }) end

return scenario {
  title = "Quorum queues under any faults",
  cluster = rabbitmq { brokers = 3 },
  topics = { orders = { queue_type = "quorum" } },
  clients = {
    producer "P1" { topic = "orders", records = 60, every = ms(500), start_at = seconds(10), recovery_interval = ms(500), confirm_timeout = seconds(20), heartbeat = seconds(10) },
    producer "P2" { topic = "orders", records = 60, every = ms(500), start_at = seconds(10), recovery_interval = ms(500), confirm_timeout = seconds(20), heartbeat = seconds(10) },
    consumer "C1" { topics = { "orders" }, group = "g", prefetch = 5, max_poll = 1, work = ms(50), recovery_interval = ms(500), heartbeat = seconds(10) },
    consumer "C2" { topics = { "orders" }, group = "g", prefetch = 5, max_poll = 1, work = ms(70), recovery_interval = ms(500), heartbeat = seconds(10) },
  },
  faults = {
    between(seconds(12), seconds(40), 5, table.unpack(faults)),
  },
  run_for = seconds(90),
  expect = { holds "lost-message" },
  cases = {
    case "4.3" { why = "As it is now." },
    case "3.13" { why = "Returns at once what a consumer behind a cut had.", set = { profile = "3.13" } },
  },
}
