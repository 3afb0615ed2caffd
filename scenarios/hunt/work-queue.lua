-- A queue of work: what does each habit of publishers and consumers prevent?
--
-- A publisher that sends again what it was not told of; two workers, one of which takes several messages at a time. Each message
-- is a mail that is sent. Connections break, workers and brokers die, queues are deleted: the hunt draws it.
--
--   mqlab score scenarios/hunt/work-queue.lua --hunt 10000
return scenario {
  title = "A work queue, hunted",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq { sync_latency = ms(5) },
  topics = { orders = {} },
  clients = {
    producer "P1" { topic = "orders", records = 40, every = ms(50), start_at = seconds(1), mandatory = true, resend = true, resend_limit = 50, confirm_timeout = seconds(1), recovery_interval = ms(300) },
    consumer "C1" { topics = { "orders" }, group = "g", prefetch = 3, max_poll = 3, work = ms(400), effect = "mail", recovery_interval = ms(300) },
    consumer "C2" { topics = { "orders" }, group = "g", prefetch = 0, max_poll = 1, work = ms(40), effect = "mail", start_at = ms(1500), recovery_interval = ms(300) },
  },
  run_for = seconds(8),
  hunt = { faults = "anything", faults_max = 6 },
}
