-- A program commits by hand, every ten seconds, since each commit costs a round trip. A second member joins the
-- group. What becomes of the work done since the last commit?
--
-- K1 has both partitions. It works on each record as it comes, and writes a row to a database. When K2 joins, the
-- partitions are dealt out anew: K1's library takes its partitions from it, and hands the news to the program inside a
-- poll (onPartitionsRevoked). It is the last moment at which K1 may commit for them; after that they are somebody's
-- who begins where the group stands.
--
-- First case: the program does nothing then. Some six seconds of work are not committed. K2 is given one of the
-- partitions and does them again; the other one comes back to K1, and even K1 goes back: all was given up at first.
-- Second case: it commits there, before anything else, and waits for the answer. Nothing is done twice.
-- Third case: the same program, and its process is killed. Nobody tells it anything, so it can't commit; K2 goes on
-- from the last commit. The callback makes a rebalance cheap, but at least once stays at least once.
--
-- Source: ConsumerRebalanceListener javadoc; ConsumerCoordinator.onJoinPrepare; KIP-429 (revoked and lost).

local every = seconds(10)

local function commit(c, done)
  for place, position in pairs(done) do c:commit(place, position) end
end

local function consumer_loop(c, o)
  c:sleep(o.start_at)
  c:subscribe(o.topics)
  local done, due = {}, c:now() + every
  while true do
    local got = c:poll(o.poll_timeout)
    if got.revoked then
      if o.commit_on_revoke then commit(c, done) end
      done = {} -- somebody else's from now on
    end
    if got.lost then done = {} end -- too late to commit
    for _, m in ipairs(got) do
      c:sleep(o.work)
      c:effect(o.effect, m)
      c:processed(m)
      done[m.place] = m.position + 1
    end
    if due <= c:now() then
      commit(c, done)
      done, due = {}, c:now() + every
    end
  end
end

local function loop(c) consumer_loop(c, c.options) end

return scenario {
  title = "Done, and not committed when the partition goes",
  chapter = "docs/kafka/05-rebalancing.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1 },
  topics = { orders = { partitions = 2, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 600, every = ms(100), start_at = seconds(5), keys = 20 },
    client "K1" {
      topics = { "orders" }, group = "readers", auto_offset_reset = "earliest", assignors = "range",
      auto_commit = "off", work = ms(5), effect = "wrote a row", program = loop,
    },
    client "K2" {
      topics = { "orders" }, group = "readers", auto_offset_reset = "earliest", assignors = "range",
      auto_commit = "off", work = ms(5), effect = "wrote a row", start_at = seconds(35), program = loop,
    },
  },
  run_for = minutes(3),
  expect = { reaches "rebalance_started", holds "lost-message" },
  cases = {
    case "it goes without a word" {
      why = "What was done since the last commit is done again.",
      set = { commit_on_revoke = false },
      expect = { violates "effect-duplicate", violates "duplicate-delivery" },
    },
    case "it commits when it is told" {
      why = "Whoever is next begins behind what is done.",
      set = { commit_on_revoke = true },
      expect = { holds "effect-duplicate", holds "duplicate-delivery" },
    },
    case "it dies" {
      why = "Nobody is told anything.",
      set = { commit_on_revoke = true },
      -- Both are at work, and K1 is between two commits.
      faults = { when(mark "generation_began" { nth = 2 }, after(seconds(20), kill "K1")) },
      expect = { reaches "member_expired", violates "effect-duplicate" },
    },
  },
}
