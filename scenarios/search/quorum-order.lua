-- Quorum queues under kills, losses of power and cuts: first deliveries keep the order of each channel.
--
-- A queue keeps the order of what one channel published. A publisher that loses its channel and goes on through another one
-- has two orders, and no queue knows of both; so each publisher here has one channel, and ends with it. New ones come all the
-- time. One consumer at a time gets the queue's messages, and another takes over when it is lost: what was not
-- acknowledged is delivered again, and the first deliveries to each of them are in order.
--
-- Of seeds 1 to 10,000, with either release, none delivers out of order and none loses a confirmed message.
--
--   mqlab run scenarios/search/quorum-order.lua --seeds 1..1000
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
for _, who in ipairs { "P1", "P3", "P5", "C1", "C2" } do may(1, reset_streams { from = who }) end
for _, kind in ipairs { "AppendEntries", "AppendReply", "QuorumRequest", "QuorumAnswer", "QuorumEffect" } do may(1, delay(kind) { amount = seconds(2) }) end

local clients = {}
for i = 1, 6 do
  clients[i] = producer("P" .. i) {
    topic = "orders", records = 40, every = ms(300), start_at = seconds(4 + 6 * i), automatic_recovery = false,
    confirm_timeout = seconds(20), heartbeat = seconds(10), max_in_flight = 8,
  }
end
for i, work in ipairs { ms(50), ms(70), ms(60) } do
  clients[#clients + 1] = consumer("C" .. i) { topics = { "orders" }, group = "g", prefetch = 5, max_poll = 1, work = work, recovery_interval = ms(500), heartbeat = seconds(10) }
end

return scenario {
  title = "Quorum queues keep the order of each channel",
  cluster = rabbitmq { brokers = 3 },
  topics = { orders = { queue_type = "quorum", single_active_consumer = true } },
  clients = clients,
  faults = {
    between(seconds(12), seconds(48), 5, table.unpack(faults)),
  },
  run_for = seconds(90),
  expect = { holds "lost-message", holds "fifo-violation" },
  cases = {
    case "4.3" { why = "As it is now." },
    case "3.13" { why = "Returns at once what a consumer behind a cut had.", set = { profile = "3.13" } },
  },
}
