-- One hand for two queues: a prefetch that all consumers of a channel share.
--
-- A shop is paid before it ships. K reads orders and payments over one channel, and does an order once it has both halves; until
-- then it acknowledges neither. With a prefetch of one *for each consumer* (basic.qos, global = false) it holds one order and one
-- payment. With a prefetch of one for the *channel* (global = true) it holds one message in all: the order is in its hand, the payment
-- waits behind it, and neither moves any more.
--
-- A shared limit suits work in which each message stands alone: however many queues a worker reads, it has so many jobs, and what it
-- held when it died is so much. Where messages need each other it is a lock that nobody holds the key of.
--
-- Quorum queues and streams refuse it (540 NOT_IMPLEMENTED). 4.3 denies it by default and tells nobody: it takes a global basic.qos
-- for one that is not, and the same program has two hands after an upgrade.
--
-- Source: RabbitMQ, Consumer Prefetch (docs consumer-prefetch); rabbit_limiter, rabbit_channel: is_global_qos_permitted.
local function joiner(c)
  c:subscribe { "orders", "payments" }
  local half = {}
  while c:now() < seconds(20) do
    for _, m in ipairs(c:poll(seconds(1))) do
      local number = m.body:match("%d+$")
      if half[number] then
        c:effect("ship", m)
        c:ack(half[number])
        c:ack(m)
        half[number] = nil
        c:mark("shipped", number)
      else
        half[number] = m
      end
    end
  end
end

return scenario {
  title = "A prefetch that all consumers of a channel share",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq { profile = "4.2" },
  marks = { "shipped" },
  topics = { orders = {}, payments = {} },
  clients = {
    producer "order" { topic = "orders", records = 5, every = seconds(1), start_at = seconds(1) },
    producer "paid" { topic = "payments", records = 5, every = seconds(1), start_at = ms(1500) },
    client "K" { program = joiner, explicit_acks = true, prefetch = 1 },
  },
  run_for = seconds(25),
  cases = {
    case "one of each" {
      why = "A prefetch of one for each consumer: an order and a payment.",
      expect = { reaches "shipped", holds "lost-message" },
    },
    case "one in all" {
      why = "The order holds the only place, and waits for a payment that can't come.",
      set = { ["K.channel_prefetch"] = 1 },
      expect = { violates "lost-message" },
    },
    case "one in all, on 4.3" {
      why = "A global basic.qos is taken for one that is not.",
      set = { ["K.channel_prefetch"] = 1, shared_prefetch = false },
      expect = { reaches "shipped", holds "lost-message" },
    },
  },
}
