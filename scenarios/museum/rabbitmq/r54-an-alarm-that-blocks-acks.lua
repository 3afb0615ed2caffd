-- A broker that is short of memory does not read from those who publish. Their acknowledgements wait too.
--
-- W reads orders and publishes a bill for each. Memory runs short for a minute, and every connection that has
-- ever published is not read any more. W has one connection for both: its acknowledgements lie in the socket,
-- its prefetch is used up, and it gets nothing, though getting rid of messages is just what the broker needs.
-- After half a minute the broker takes W's deliveries for abandoned: they come again, and are billed twice.
--
-- With a connection of its own for each, W reads on, and the queue empties while the alarm lasts.
--
-- Source: RabbitMQ, Memory and Disk Alarms; Blocked Connections ("use separate connections").
local function bills(c)
  c:subscribe("orders")
  local sent = 0
  while true do
    for _, order in ipairs(c:poll(seconds(1), 1)) do
      c:sleep(ms(500))
      c:effect("bill", order)
      if sent < 5 then c:send_async("bills", { body = "bill " .. sent }) end
      sent = sent + 1
      c:processed(order)
      c:ack(order)
    end
  end
end

return scenario {
  title = "One connection for publishing and consuming, and an alarm",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq { profile = "4.2", consumer_timeout = seconds(30), timeout_check = seconds(5) },
  topics = { orders = {}, bills = {} },
  clients = {
    producer "P1" { topic = "orders", records = 40, every = ms(100), start_at = seconds(1) },
    client "W" { program = bills, group = "w", explicit_acks = true, prefetch = 4 },
  },
  faults = {
    at(seconds(3), command("B1", "memory_alarm", "on")),
    at(seconds(63), command("B1", "memory_alarm", "off")),
  },
  run_for = seconds(100),
  expect = { reaches "alarm", reaches "connection_blocked", holds "lost-message" },
  cases = {
    case "one connection" { why = "Acknowledgements are not read.", set = { ["W.shared_connection"] = true }, expect = { reaches "consumer_timeout", violates "effect-duplicate" } },
    case "one for each" { why = "Consumers are not blocked.", expect = { holds "effect-duplicate" } },
  },
}
