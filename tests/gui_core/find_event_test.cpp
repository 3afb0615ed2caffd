// A search finds what a look at every moment finds, and says so when there is nothing.
#include "gui/core/find_event.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>

#include "gui/core/engine.h"
#include "gui/core/go_to.h"
#include "tests/gui_core/views.h"

namespace mqlab::gui {
namespace {

using namespace mqlab::literals;
using namespace testing;

Predicate read(const std::string& text) { return read_predicate(text).predicate.value(); }

// Every moment, made in whole, once a run.
std::vector<bool> truth(const Recording& r, const Predicate& p) {
  std::vector<bool> out;
  r.moments(0, r.events() - 1, {}, [&](const Moment& m) {
    out.push_back(holds(p, m));
    return true;
  });
  return out;
}

// From where it is not true: the first after, the last before. From where it is: the stretch is passed over first.
std::optional<std::size_t> by_force(const std::vector<bool>& is, std::size_t now, Direction d) {
  bool was_false = !is[now];
  const auto step = [&](std::size_t e) {
    if (!is[e]) was_false = true;
    return is[e] && was_false;
  };
  if (d == Direction::forward) {
    for (std::size_t e = now + 1; e < is.size(); ++e)
      if (step(e)) return e;
  } else {
    for (std::size_t e = now; e-- > 0;)
      if (step(e)) return e;
  }
  return std::nullopt;
}

struct Case {
  const char* scenario;
  const char* sentence;
};
const Case cases[] = {
    {"showcase.lua", "isr orders/0 < 3"},
    {"showcase.lua", "leader orders/0 = B2"},
    {"showcase.lua", "leader orders/0 = none or leaders orders/0 > 1"},
    {"showcase.lua", "state B1 != running"},
    {"showcase.lua", "leo orders/0 on B2 > 10 and time < 20s"},
    {"museum/kafka/p01-retry-duplicate.lua", "hw orders/0 = 4"},
    {"hunt/queue.lua", "backlog orders/0 > 1"},
    {"hunt/queue.lua", "waiting B1 > 0"},
    {"hunt/queue.lua", "time > 9999s"},
};

RC_GTEST_PROP(FindEventProperty, IsWhatALookAtEveryMomentFinds, ()) {
  static std::map<std::size_t, std::vector<bool>> known;
  const std::size_t n = *rc::gen::inRange<std::size_t>(0, std::size(cases));
  const Recording& r = *recorded(cases[n].scenario).recording;
  const Predicate p = read(cases[n].sentence);
  if (!known.count(n)) known[n] = truth(r, p);
  const std::size_t now = *rc::gen::inRange<std::size_t>(0, r.events());
  const Direction d = *rc::gen::element(Direction::forward, Direction::backward);
  const Found f = find_event(r, p, now, d);
  RC_ASSERT(f.event == by_force(known[n], now, d));
  RC_ASSERT(!f.called_off);
  RC_ASSERT(f.was_true == known[n][now]);
  RC_ASSERT(f.complaint(r, p, d).empty() == f.event.has_value());
}

// A few of them are made one by one, as the window makes them.
TEST(FindEvent, TheMomentsThatItLooksAtAreThoseOfTheWindow) {
  const Recording& r = *recorded("showcase.lua").recording;
  for (const Case& c : cases) {
    if (std::string(c.scenario) != "showcase.lua") continue;
    const Predicate p = read(c.sentence);
    const std::vector<bool> is = truth(r, p);
    r.moments(0, r.events() - 1, wish_of(p), [&](const Moment& m) {
      EXPECT_EQ(holds(p, m), is[m.event]) << c.sentence << " at " << m.event;
      return true;
    });
    for (std::size_t e = 0; e < r.events(); e += 41) EXPECT_EQ(holds(p, *r.moment(e)), is[e]) << c.sentence << " at " << e;
  }
}

// Whatever a run can be asked: a moment with no more in it than the sentence asks for says the same as one that is whole.
TEST(FindEvent, NothingIsMissingInAMomentThatASentenceLooksAt) {
  for (const char* scenario : {"showcase.lua", "hunt/queue.lua"}) {
    const Recording& r = *recorded(scenario).recording;
    std::vector<std::string> sentences = vocabulary_of(r).sentences;
    if (scenario[0] == 's') sentences.emplace_back("value B1 \"orders/0 > epoch\" >= 0 or value B1 \"orders/0\" != nothing");
    std::set<Term::Kind> kinds;
    std::size_t was_true = 0;
    for (const std::string& s : sentences) {
      const Predicate p = read(s);
      kinds.insert(p.kind == Predicate::Kind::term ? p.term.kind : Term::Kind::value);
      for (std::size_t e = r.events() / 9; e < r.events(); e += r.events() / 3) {
        const bool is = holds(p, *r.moment(e));
        was_true += is;
        r.moments(e, e, wish_of(p), [&](const Moment& m) {
          EXPECT_EQ(holds(p, m), is) << s << " at " << e;
          return true;
        });
      }
    }
    EXPECT_GE(kinds.size(), 5U);
    EXPECT_GT(was_true, 0U);
    // At the end the numbers are as the sentences have them.
    for (const std::string& s : sentences)
      if (const Predicate p = read(s); p.kind == Predicate::Kind::term && p.term.compare == Compare::equal && p.term.kind == Term::Kind::number) {
        r.moments(r.events() - 1, r.events() - 1, wish_of(p), [&](const Moment& m) {
          EXPECT_TRUE(holds(p, m)) << s;
          return true;
        });
      } else if (p.term.kind == Term::Kind::members && p.term.compare == Compare::less) {
        Predicate same = p;
        same.term.compare = Compare::equal;
        r.moments(r.events() - 1, r.events() - 1, wish_of(same), [&](const Moment& m) {
          EXPECT_TRUE(holds(same, m)) << s;
          return true;
        });
      }
  }
}

TEST(FindEvent, BackwardSearchesFromCheckpointToCheckpoint) {
  const Recording& r = *recorded("search/quorum.lua").recording;
  ASSERT_GT(r.checkpoints(), 3U);
  std::size_t most = 0;
  const Predicate p = read("time >= 0s");  // true everywhere: the first stretch that is looked at decides
  Found f = find_event(r, read("time < 1ns"), r.events() - 1, Direction::backward, [&](std::size_t done, std::size_t) {
    most = std::max(most, done);
    return true;
  });
  EXPECT_EQ(f.looked_at, r.events() - 1) << "each event once";
  // What is near is found after little.
  const Time late = r.time_of(r.events() - 10);
  f = find_event(r, read("time < " + std::to_string(late) + "ns"), r.events() - 1, Direction::backward);
  ASSERT_TRUE(f.event);
  EXPECT_LT(r.time_of(*f.event), late);
  EXPECT_LT(f.looked_at, 2'100U);
  EXPECT_FALSE(find_event(r, p, 5, Direction::backward).event) << "it has been true all the time";
}

TEST(FindEvent, NeverTrueNamesTheRangeLookedAt) {
  const Recording& r = *recorded("showcase.lua").recording;
  const Predicate p = read("isr orders/0 > 9");
  const Found f = find_event(r, p, 10, Direction::forward);
  EXPECT_FALSE(f.event);
  EXPECT_EQ(f.from, 11U);
  EXPECT_EQ(f.to, r.events() - 1);
  EXPECT_EQ(f.looked_at, r.events() - 11) << "each event behind, once";
  EXPECT_EQ(f.complaint(r, p, Direction::forward).rfind("`isr orders/0 > 9` is never true in #11 to #", 0), 0U) << f.complaint(r, p, Direction::forward);
  EXPECT_EQ(find_event(r, p, r.events() - 1, Direction::forward).complaint(r, p, Direction::forward), "there is no event after this one");
  EXPECT_EQ(find_event(r, p, 0, Direction::backward).complaint(r, p, Direction::backward), "there is no event before this one");
}

TEST(FindEvent, IsCalledOffWhenItIsTold) {
  const Recording& r = *recorded("search/quorum.lua").recording;
  for (const Direction d : {Direction::forward, Direction::backward}) {
    const Found f = find_event(r, read("time > 9999s"), d == Direction::forward ? 0 : r.events() - 1, d, [](std::size_t done, std::size_t) { return done < 700; });
    EXPECT_TRUE(f.called_off);
    EXPECT_LT(f.looked_at, 1'100U);
    EXPECT_FALSE(f.event);
    EXPECT_EQ(f.complaint(r, read("time > 9999s"), d), "");
  }
}

// --- on the engine's thread ---

struct Waits {
  std::mutex m;
  std::condition_variable c;
  bool news = false;
  void wake() {
    const std::lock_guard lock(m);
    news = true;
    c.notify_all();
  }
  void wait() {
    std::unique_lock lock(m);
    c.wait_for(lock, std::chrono::seconds(60), [&] { return news; });
    news = false;
  }
};

News next_found(Engine& e, Waits& w) {
  for (int i = 0; i < 1'000; ++i) {
    for (News& n : e.take())
      if (n.kind == News::Kind::found) return n;
    w.wait();
  }
  ADD_FAILURE() << "nothing was told";
  return {};
}

TEST(FindEvent, TheEngineFindsOnItsThreadAndTheLaterQuestionCounts) {
  Waits w;
  Engine engine(all_models(), [&] { w.wake(); });
  const auto r = recorded("showcase.lua").recording;
  engine.find(r, read("leader orders/0 = B2"), 0, Direction::forward);
  const News n = next_found(engine, w);
  EXPECT_EQ(n.of, r);
  EXPECT_EQ(n.found.event, find_event(*r, read("leader orders/0 = B2"), 0, Direction::forward).event);
  engine.find(r, read("isr orders/0 > 9"), 0, Direction::forward);
  EXPECT_NE(next_found(engine, w).complaint_of_search.find("is never true"), std::string::npos);
  // Called off, whether it had begun or not, it says so; and a question right behind it is answered.
  engine.find(r, read("time > 9999s"), 0, Direction::forward);
  engine.call_off_find();
  EXPECT_FALSE(next_found(engine, w).found.event);
  engine.find(r, read("time > 1s"), 0, Direction::forward);
  EXPECT_TRUE(next_found(engine, w).found.event);
  EXPECT_FALSE(engine.search().under_way);
}

// --- typed ---

TEST(GoTo, WordsAboutTheStateAskForASearch) {
  EXPECT_FALSE(asked_by("130ms"));
  EXPECT_FALSE(asked_by("next violation"));
  EXPECT_FALSE(asked_by("#87"));
  EXPECT_FALSE(asked_by("previous fault"));
  const auto a = asked_by(" isr orders/0 < 3 ");
  ASSERT_TRUE(a && a->predicate);
  EXPECT_EQ(a->direction, Direction::forward);
  const auto b = asked_by("previous lag billing > 100");
  ASSERT_TRUE(b && b->predicate);
  EXPECT_EQ(b->direction, Direction::backward);
  EXPECT_EQ(b->predicate->text(), "lag billing > 100");
  const auto c = asked_by("next lag billing");
  ASSERT_TRUE(c);
  EXPECT_FALSE(c->predicate);
  EXPECT_FALSE(c->complaint.empty());
}

// From one to the next and back again: each that is no heartbeat once, in their order, also where several were over at one event.
TEST(GoTo, MessagesThatNeverArrivedAreAPlace) {
  std::size_t together = 0, heartbeats = 0;
  for (const char* scenario : {"showcase.lua", "search/quorum.lua"}) {
    const Recording& r = *recorded(scenario).recording;
    const auto& drops = r.journal().drops;
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < drops.size(); ++i)
      if (r.journal().messages[drops[i].event.type].traffic != Traffic::heartbeat) {
        together += !all.empty() && r.event_of_drop(all.back()) == r.event_of_drop(i);
        all.push_back(i);
      }
    ASSERT_FALSE(all.empty());
    heartbeats += drops.size() - all.size();
    std::vector<std::size_t> seen;
    std::size_t now = 0;
    std::optional<std::size_t> in_focus;
    while (seen.size() <= all.size()) {
      const GoTo to = go_to(r, "next dropped", now, in_focus);
      EXPECT_EQ(to.complaint.empty(), to.drop.has_value());
      if (!to.drop) break;
      EXPECT_EQ(to.event, r.event_of_drop(*to.drop));
      now = to.event;
      in_focus = to.drop;
      seen.push_back(*to.drop);
    }
    EXPECT_EQ(seen, all) << scenario;
    for (std::size_t n = all.size(); n-- > 0;) {
      const GoTo to = go_to(r, "previous dropped", now, in_focus);
      EXPECT_EQ(to.drop.has_value(), n > 0);
      if (!to.drop || n == 0) {
        EXPECT_EQ(to.complaint, "there is no message before that never arrived");
        EXPECT_EQ(to.event, now);
        break;
      }
      EXPECT_EQ(*to.drop, all[n - 1]);
      now = to.event;
      in_focus = to.drop;
    }
    // What is in focus elsewhere does not matter, and with nothing in focus those of this event are the next.
    const std::size_t last = r.event_of_drop(all.back());
    EXPECT_EQ(go_to(r, "next dropped", last + 1, all.front()).drop, std::nullopt);
    EXPECT_EQ(r.event_of_drop(go_to(r, "next dropped", last).drop.value()), last);
    EXPECT_LT(r.event_of_drop(go_to(r, "previous dropped", last).drop.value()), last);
    EXPECT_FALSE(go_to(r, "next fault", 0).drop);
  }
  EXPECT_GT(together, 0U) << "several at one event";
  EXPECT_GT(heartbeats, 0U) << "there are some to pass over";
}

}  // namespace
}  // namespace mqlab::gui
