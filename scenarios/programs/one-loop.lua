-- Every consumer is the same loop: poll, work, commit, and again. What can differ, and what does each choice cost?
--
-- The other files of this folder have a loop each, cut down to one question. Here is one loop with all their answers as
-- options, under the names that the built-in `consumer` has for them: the client says `commit = "after"`, or
-- `workers = 3`, and the program reads it in c.options. Whatever is chosen, a crash or a rebalance asks three things:
--
--   Is a position stored before the work is done? Then the work may never be done.
--       commit = "before"; "highest", with workers; "library", with workers or in the background
--   Is the work done before its position is stored? Then it may be done twice.
--       commit = "after", "each", "prefix", "store"; "library", inside the polls of a loop that works itself
--   Is a message left behind? Then it is lost, unless it is safe elsewhere before the position passes it.
--       on_failure = "skip"; or "retry_topic", "dead_letter"
--
-- No choice is free of both: between the work and the commit there is always a moment to die in. Read from the end of
-- the loop, `consumer_loop`, upwards. Source: KafkaConsumer javadoc, "offsets and consumer position", "detecting
-- consumer failures", "multi-threaded processing"; KIP-62.

-- ---- Positions. Each place that this consumer was given has a row: the jobs that came from it, from the first one
-- ---- unfinished, and where to go on: after all that came, after the finished prefix, after the highest finished.

-- A message on its way through this program.
local function new_job(loop, m)
  local row = loop.places[m.place] or { jobs = {}, prefix = m.position, highest = m.position, asked = m.position }
  loop.places[m.place] = row
  row.came = m.position + 1
  local job = { message = m, came = loop.c:now(), row = row, tries = 0 }
  table.insert(row.jobs, job)
  return job
end

-- The program is done with it, whatever came of it. The prefix stops at the first that is unfinished.
local function finish(loop, job)
  local row, m, before = job.row, job.message, job.row.prefix
  job.finished = true
  row.highest = math.max(row.highest, m.position + 1)
  while row.jobs[1] and row.jobs[1].finished do table.remove(row.jobs, 1) end
  row.prefix = row.jobs[1] and row.jobs[1].message.position or row.came
  -- librdkafka commits in the background what it was told is done (auto_offset_store = false).
  if loop.o.commit == "store" and row.prefix > before and loop.places[m.place] == row then
    loop.c:call("store_offset", m.place .. " " .. row.prefix)
  end
end

-- How far a place may be committed by hand. This line decides between loss and repetition.
local may_commit = {
  before = function(row) return row.came end, -- done or not
  after = function(row) return #row.jobs == 0 and row.came end,
  each = function(row) return row.prefix end,
  prefix = function(row) return row.prefix end,
  highest = function(row) return row.highest end, -- passes what slower workers still hold
  library = function() return false end, -- the library does it, inside polls or in the background
  store = function() return false end,
}

-- True unless it was refused. One that failed is not repeated: the next one says more.
local function commit(loop, place, rule)
  local row = loop.places[place]
  local position = row and may_commit[rule](row)
  if not position or position <= row.asked then return true end
  row.asked = position
  if not loop.o.commit_async then return loop.c:commit(place, position).ok end
  loop.c:commit_async(place, position)
  return true
end

local function commit_all(loop)
  local ok = true
  for place in pairs(loop.places) do ok = commit(loop, place, loop.o.commit) and ok end
  return ok
end

-- ---- The work on one message, step by step: job.step comes next, when job.ready has come. Without a step it is over.

local function later(loop, job, delay, step) job.ready, job.step = loop.c:now() + delay, step end

local function over(loop, job, well)
  local o, c, m = loop.o, loop.c, job.message
  job.step = nil
  if o.ack ~= "implicit" then -- a share group hears of each message by itself
    if well or o.ack == "accept" then c:ack(m) elseif o.ack == "release_failed" then c:release(m) else c:reject(m) end
  end
  finish(loop, job)
end

local function fails(loop, m)
  local o = loop.o
  if o.poison_until > ms(0) and loop.c:now() >= o.poison_until then return false end
  for _, body in ipairs(o.poison) do
    if body == m.body then return true end
  end
  return false
end

local function tries_on(o)
  return o.attempts == 0 or (o.on_failure == "block" and o.ack ~= "release_failed" and o.ack ~= "reject_failed")
end

-- It waits for the acknowledgement: what is not safe there may not be committed here.
local function send_on(loop, job)
  local o, m = loop.o, job.message
  local topic = o.on_failure == "retry_topic" and o.retry_topic or o.dead_letter_topic
  local sent = loop.c:send(topic, { key = m.key, body = m.body, tombstone = m.tombstone })
  if sent.ok then over(loop, job, false) else later(loop, job, o.attempt_backoff, send_on) end
end

local function try(loop, job)
  local o, c, m = loop.o, loop.c, job.message
  if job.row.gone then job.step = nil return end -- the place is somebody else's, and so is the message
  later(loop, job, m.body == o.work_slow_message and o.work_slow or o.work, function()
    job.tries = job.tries + 1
    if not fails(loop, m) then
      if o.effect ~= "" then c:effect(o.effect, m) end
      c:processed(m)
      return over(loop, job, true)
    end
    c:failed(m)
    if job.row.gone or job.tries < o.attempts or tries_on(o) then return later(loop, job, o.attempt_backoff, try) end
    if o.on_failure == "retry_topic" or o.on_failure == "dead_letter" then return send_on(loop, job) end
    over(loop, job, false) -- skip: nobody has done it, and nobody will
  end)
end

-- The reader of a retry topic waits for retry_delay after the message came.
local function begin(loop, job)
  later(loop, job, math.max(ms(0), job.came + loop.o.retry_delay - loop.c:now()), try)
end

-- ---- Who works? The loop itself, and hears of nothing meanwhile ...

local function work_itself(loop, batch)
  for _, job in ipairs(batch) do
    begin(loop, job)
    while job.step do
      loop.c:sleep(math.max(ms(0), job.ready - loop.c:now()))
      job.step(loop, job)
    end
    if loop.o.commit == "each" then commit_all(loop) end
  end
end

-- ---- ... or workers, and the loop polls on. In loop.busy is what they work on, in loop.queue what waits for them.

-- Until the next of them is ready, but no longer than this.
local function patience(loop, at_most)
  for _, job in ipairs(loop.busy) do at_most = math.min(at_most, job.ready - loop.c:now()) end
  return math.max(ms(0), at_most)
end

-- Who is ready goes on; whose hands are free takes the oldest that waits.
local function let_them_work(loop)
  local busy = {}
  for _, job in ipairs(loop.busy) do
    if job.ready <= loop.c:now() then job.step(loop, job) end
    if job.step then table.insert(busy, job) end
  end
  loop.busy = busy
  while #busy < math.max(1, loop.o.workers) and loop.queue[1] do
    local job = table.remove(loop.queue, 1)
    if not job.row.gone then
      begin(loop, job)
      table.insert(busy, job)
    end
  end
end

-- The loop waits; they don't.
local function wait(loop, at_most)
  loop.c:sleep(patience(loop, at_most))
  let_them_work(loop)
end

local function rest(loop, delay)
  local till = loop.c:now() + delay
  while loop.c:now() < till do wait(loop, till - loop.c:now()) end
end

-- A full queue holds the loop back, and with it the next poll.
local function hand_over(loop, batch)
  for _, job in ipairs(batch) do
    while loop.o.queue > 0 and #loop.queue >= loop.o.queue do wait(loop, seconds(1)) end
    table.insert(loop.queue, job)
    let_them_work(loop)
  end
  let_them_work(loop)
end

-- A paused place stays this consumer's and brings no messages: the loop can poll through the longest work.
local function pause_or_resume(loop)
  for place in pairs(loop.busy[1] and {} or loop.paused) do
    loop.c:resume(place)
    loop.paused[place] = nil
  end
  for place, row in pairs(loop.places) do
    if row.jobs[1] and not loop.paused[place] then
      loop.c:pause(place)
      loop.paused[place] = true
    end
  end
end

-- ---- The group gives places and takes them, inside polls.

local function rebalance(loop, got)
  local o = loop.o
  for _, place in ipairs(got.revoked or {}) do -- the last moment to commit; what is `lost` is somebody else's already
    if o.commit_on_revoke then commit(loop, place, o.commit == "highest" and "highest" or "prefix") end
  end
  for _, gone in ipairs { got.revoked or {}, got.lost or {} } do
    for _, place in ipairs(gone) do
      loop.paused[place] = nil
      if loop.places[place] and not o.finish_revoked then -- a careless program works on, and commits
        loop.places[place].gone = true
        loop.places[place] = nil
      end
    end
  end
  for _, place in ipairs(got.assigned or {}) do loop.places[place] = nil end
end

-- In a group it takes what it is given; else it chooses.
local function subscribe(c, o)
  if o.group ~= "" then return c:subscribe(o.topics) end
  for _, topic in ipairs(o.topics) do c:assign(topic, o.seek_to >= 0 and o.seek_to or nil) end
end

-- What `loop` holds is gone when the process dies. Then only the group's position says where to go on.
local function consumer_loop(c)
  local o = c.options
  local loop = { c = c, o = o, places = {}, busy = {}, queue = {}, paused = {} }
  c:sleep(math.max(ms(0), o.start_at - c:now()))
  subscribe(c, o)
  while true do
    local got, batch = c:poll(patience(loop, o.poll_timeout), o.max_poll > 0 and o.max_poll or nil), {}
    if got.error == "FENCED_INSTANCE_ID" then return end -- another process has this one's static membership
    rebalance(loop, got)
    for i, m in ipairs(got) do batch[i] = new_job(loop, m) end
    -- At most once: what could not be committed beforehand is not worked on.
    if o.commit == "before" and not commit_all(loop) then batch = {} end
    if o.workers > 0 or o.pause_while_working then
      hand_over(loop, batch)
      if o.pause_while_working then pause_or_resume(loop) end
    else
      work_itself(loop, batch)
    end
    commit_all(loop)
    rest(loop, got.error and ms(100) or o.poll_every)
  end
end

-- K1 dies twice: in the middle of a batch, and with a commit that never leaves the machine.
local two_deaths = {
  when(op "effect ok" { from = "K1", nth = 35 }, after(ms(20), kill "K1" { duration = seconds(2) })),
  at(0, drop "OffsetCommit" { from = "K1", nth = 3 }),
  when(sent "OffsetCommit" { from = "K1", nth = 3 }, kill "K1" { duration = seconds(2) }),
}

-- Three workers. One has P1-10 for five seconds; meanwhile the others finish much behind it, and then K1 dies.
local function p1_10_is_slow(commit)
  return {
    ["P1.every"] = ms(50), ["K1.workers"] = 3, ["K1.work_slow_message"] = "P1-10", ["K1.commit"] = commit,
    auto_commit_interval = seconds(1),
  }
end
local death_of_a_pool = { when(op "effect ok" { from = "K1", nth = 45 }, kill "K1" { duration = seconds(2) }) }

-- K2 is a second member that reads orders; all of them are 90 seconds of work, and a member has to poll every minute.
local function long_work(more)
  local set = {
    ["K2.topics"] = { "orders" }, ["K2.retry_delay"] = 0, ["K1.start_at"] = seconds(20), ["K2.start_at"] = seconds(20),
    commit = "after", work = ms(1500), max_poll_records = 500, max_poll_interval = minutes(1),
  }
  for option, value in pairs(more) do set[option] = value end
  return set
end

-- What P1-4 needs is down until 8 s.
local function p1_4_fails(on_failure)
  return {
    ["P1.every"] = ms(100), ["K1.commit"] = "each", ["K1.poison"] = { "P1-4" }, ["K1.poison_until"] = seconds(8),
    ["K1.on_failure"] = on_failure,
  }
end

return scenario {
  title = "One loop for every consumer",
  chapter = "docs/kafka/04-groups-and-offsets.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { replicas = 3 }, retries = { replicas = 3 }, failed = { replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 60, every = ms(20), start_at = seconds(5), keys = 3 },
    client "K1" {
      topics = { "orders" }, group = "mailers", auto_offset_reset = "earliest", session_timeout = seconds(10),
      max_poll_records = 10, work = ms(50), work_slow = seconds(5), effect = "mail", attempts = 3,
      attempt_backoff = ms(100), retry_topic = "retries", dead_letter_topic = "failed", program = consumer_loop,
    },
    -- Reads what was put aside; where a case says so, it is a second member that reads orders.
    client "K2" {
      topics = { "retries" }, group = "mailers", auto_offset_reset = "earliest", session_timeout = seconds(10),
      work = ms(50), effect = "mail", commit = "each", retry_delay = seconds(10), program = consumer_loop,
    },
  },
  run_for = minutes(4),
  cases = {
    -- When the position is stored (consumer-loop.lua).
    case "before the work" {
      why = "At most once: what was in hand is never done.",
      set = { ["K1.commit"] = "before" },
      faults = two_deaths,
      expect = { violates "effect-lost", violates "commit-ahead-of-processing", holds "effect-duplicate" },
    },
    case "after the batch" {
      why = "At least once: what was done and not committed is done again.",
      set = { ["K1.commit"] = "after" },
      faults = two_deaths,
      expect = { holds "effect-lost", holds "commit-ahead-of-processing", violates "effect-duplicate" },
    },
    case "after each record" {
      why = "At least once, and one record at most is done again.",
      set = { ["K1.commit"] = "each" },
      faults = two_deaths,
      expect = { holds "effect-lost", holds "commit-ahead-of-processing", violates "effect-duplicate" },
    },
    case "by the library, inside a later poll" {
      why = "What earlier polls returned is done, for the loop works itself.",
      set = { ["K1.commit"] = "library", auto_commit_interval = seconds(1) },
      faults = two_deaths,
      expect = { holds "effect-lost", holds "commit-ahead-of-processing", violates "effect-duplicate" },
    },
    case "by librdkafka, in the background" {
      why = "Handed out counts as done.",
      set = { ["K1.commit"] = "library", ["K1.auto_commit"] = "librdkafka", auto_commit_interval = ms(100) },
      faults = two_deaths,
      expect = { violates "effect-lost", violates "commit-ahead-of-processing" },
    },
    case "by librdkafka, of what was stored" {
      why = "Done counts as done.",
      set = { ["K1.commit"] = "store", ["K1.auto_commit"] = "librdkafka", auto_commit_interval = ms(100) },
      faults = two_deaths,
      expect = { holds "effect-lost", holds "commit-ahead-of-processing", violates "effect-duplicate" },
    },
    -- Others work (worker-pool.lua).
    case "workers, and the library commits" {
      why = "Returned by a poll is not the same as finished.",
      set = p1_10_is_slow("library"),
      faults = death_of_a_pool,
      expect = { violates "effect-lost", violates "commit-ahead-of-processing" },
    },
    case "workers, and the highest" {
      why = "One that is finished says nothing about those before it.",
      set = p1_10_is_slow("highest"),
      faults = death_of_a_pool,
      expect = { violates "effect-lost", violates "commit-ahead-of-processing" },
    },
    case "workers, and the prefix" {
      why = "Nothing is lost, and what was finished behind the slow one is done again.",
      set = p1_10_is_slow("prefix"),
      faults = death_of_a_pool,
      expect = { holds "effect-lost", holds "commit-ahead-of-processing", violates "effect-duplicate" },
    },
    -- Work that takes longer than max.poll.interval (pause-and-poll.lua).
    case "one poll, and work for too long" {
      why = "The library leaves the group in the name of an application that only works.",
      set = long_work {},
      expect = { reaches "max_poll_interval_exceeded", violates "effect-duplicate" },
    },
    case "pause, and poll on" {
      why = "A paused partition is still owned.",
      set = long_work { pause_while_working = true },
      expect = { holds "effect-duplicate", holds "effect-lost" },
    },
    case "ten at a time" {
      why = "15 seconds of work are less than max.poll.interval.",
      set = long_work { max_poll = 10 },
      expect = { holds "effect-duplicate", holds "effect-lost" },
    },
    -- P1-7 always fails (poison-message.lua).
    case "a poison message, tried for ever" {
      why = "All behind it wait.",
      set = { ["K1.commit"] = "each", ["K1.poison"] = { "P1-7" }, ["K1.on_failure"] = "block" },
      expect = { violates "head-of-line-stall", violates "effect-lost", holds "commit-ahead-of-processing" },
    },
    case "a poison message, skipped" {
      why = "The position passes what nobody has done.",
      set = { ["K1.commit"] = "each", ["K1.poison"] = { "P1-7" }, ["K1.on_failure"] = "skip" },
      expect = { violates "commit-ahead-of-processing", violates "effect-lost", holds "head-of-line-stall" },
    },
    case "a poison message, to the dead-letter topic" {
      why = "The others go on, and the message is kept.",
      set = { ["K1.commit"] = "each", ["K1.poison"] = { "P1-7" }, ["K1.on_failure"] = "dead_letter" },
      expect = { holds "head-of-line-stall", holds "commit-ahead-of-processing", holds "effect-lost" },
    },
    -- P1-4 fails until 8 s (retry-topic.lua).
    case "down for a while, tried in place" {
      why = "All wait, and all stays in order.",
      set = p1_4_fails("block"),
      expect = { holds "key-order-violation", holds "effect-lost", holds "effect-duplicate" },
    },
    case "down for a while, to the retry topic" {
      why = "Nobody waits, and later messages of the same key overtake.",
      set = p1_4_fails("retry_topic"),
      expect = { violates "key-order-violation", holds "effect-lost", holds "effect-duplicate" },
    },
  },
}
