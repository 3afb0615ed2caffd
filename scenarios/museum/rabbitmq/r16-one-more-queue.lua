-- One more queue behind a hash, while the others are not empty yet.
--
-- Orders go to one of two queues by a hash of their account, each with a worker of its own, so that the orders of an account
-- are done one after the other. The workers are behind. A third queue is bound, and from then on nearly every account has
-- another queue: its new orders wait behind fewer others than its old ones, and are done first.
--
-- A consistent hash moves only the accounts that the third queue gets, and breaks the order of those. Nothing moves while
-- the queues are empty, or where their number never changes.
--
-- Source: RabbitMQ, Modulus Hash Exchange (changing the number of bindings); Consistent Hash Exchange.
local function worker(name, n) return consumer(name) { topics = { "orders/" .. n }, group = "g", prefetch = 1, max_poll = 1, work = ms(200) } end

return scenario {
  title = "From two queues to three",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = { partitions = 3, bound = 2, exchange = "x-modulus-hash" } },
  clients = {
    producer "P1" { topic = "orders", records = 40, every = ms(20), start_at = seconds(1), keys = 8 },
    producer "P2" { topic = "orders", records = 40, every = ms(20), start_at = seconds(3), keys = 8 },
    worker("C1", 0), worker("C2", 1), worker("C3", 2),
  },
  faults = { at(ms(2500), command("B1", "bind", "orders.g.2")) },
  run_for = seconds(40),
  expect = { holds "lost-message" },
  cases = {
    case "a modulus" {
      why = "Nearly every account moves.",
      expect = { reaches "bound", violates "key-order-violation" },
    },
    case "a consistent hash" {
      why = "Only some accounts move; theirs is the same trouble.",
      set = { ["orders.exchange"] = "x-consistent-hash" },
      expect = { reaches "bound", violates "key-order-violation" },
    },
    case "bound when all is done" {
      why = "There is nothing to overtake.",
      set = { ["P2.start_at"] = seconds(20) },
      only_faults = { at(seconds(18), command("B1", "bind", "orders.g.2")) },
      expect = { reaches "bound", holds "key-order-violation" },
    },
    case "two queues for good" {
      why = "An account stays where it is.",
      only_faults = {},
      expect = { holds "key-order-violation" },
    },
  },
}
