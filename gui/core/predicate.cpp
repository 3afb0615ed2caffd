#include "gui/core/predicate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "sim/lab/nearest.h"
#include "sim/lab/options.h"

namespace mqlab::gui {
namespace {

constexpr std::size_t depth_most = 50;  // of parentheses and `not`
constexpr std::array<const char*, 6> compare_texts = {"=", "!=", "<", "<=", ">", ">="};

std::string lower(std::string_view t) {
  std::string out(t);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool is_word_of_language(const std::string& t) {
  const std::string l = lower(t);
  return l == "and" || l == "or" || l == "not" || l == "on";
}

bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool alone(char c) { return c == '(' || c == ')' || c == '"' || c == '=' || c == '!' || c == '<' || c == '>' || c == ','; }

struct Token {
  enum class Kind : std::uint8_t { word, quoted, compare, open, close, end, wrong };
  Kind kind{};
  std::string text{};
  std::size_t at = 0;
};

// One token after the other; after the end always `end`.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) { next(); }
  const Token& now() const { return now_; }
  Token take() {
    Token t = now_;
    next();
    return t;
  }
  bool is_word(const char* word) const { return now_.kind == Token::Kind::word && lower(now_.text) == word; }

 private:
  void next() {
    while (at_ < text_.size() && blank(text_[at_])) ++at_;
    now_ = {Token::Kind::end, {}, at_};
    if (at_ == text_.size()) return;
    const char c = text_[at_];
    if (c == '(' || c == ')') {
      now_ = {c == '(' ? Token::Kind::open : Token::Kind::close, std::string(1, c), at_++};
      return;
    }
    if (c == '"') {
      const std::size_t end = text_.find('"', at_ + 1);
      if (end == std::string_view::npos) now_ = {Token::Kind::wrong, "a quote is not closed", at_};
      else now_ = {Token::Kind::quoted, std::string(text_.substr(at_ + 1, end - at_ - 1)), at_};
      at_ = end == std::string_view::npos ? text_.size() : end + 1;
      return;
    }
    if (c == '=' || c == '!' || c == '<' || c == '>') {
      const bool two = at_ + 1 < text_.size() && text_[at_ + 1] == '=';
      std::string t = two ? std::string{c, '='} : std::string{c};
      if (t == "==") t = "=";
      now_ = {t == "!" ? Token::Kind::wrong : Token::Kind::compare, t == "!" ? "`!` alone compares nothing: != was expected, or the word not" : t, at_};
      at_ += two ? 2 : 1;
      return;
    }
    if (c == ',') {
      now_ = {Token::Kind::wrong, "a comma joins nothing: `and` or `or` was expected", at_++};
      return;
    }
    const std::size_t begin = at_;
    while (at_ < text_.size() && !blank(text_[at_]) && !alone(text_[at_])) ++at_;
    now_ = {Token::Kind::word, std::string(text_.substr(begin, at_ - begin)), begin};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Token now_;
};

struct Wrong {
  std::string text;
  std::size_t at;
};

struct KindDecl {
  const char* word;
  Term::Kind kind;
  const char* subject;  // what it is about
};
constexpr KindDecl kinds[] = {
    {"lag", Term::Kind::lag, "a group"},       {"members", Term::Kind::members, "a group"}, {"leader", Term::Kind::leader, "a place"},
    {"leaders", Term::Kind::leaders, "a place"}, {"state", Term::Kind::state, "a node"},      {"waiting", Term::Kind::waiting, "a node"},
    {"value", Term::Kind::value, "a node"},    {"time", Term::Kind::time, ""},
};

const KindDecl* kind_of(const std::string& word) {
  const std::string l = lower(word);
  for (const KindDecl& k : kinds)
    if (l == k.word) return &k;
  return nullptr;
}

bool of_words(Term::Kind k) { return k == Term::Kind::leader || k == Term::Kind::state || k == Term::Kind::value; }

std::optional<std::int64_t> number_of(std::string_view t) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), n);
  if (error != std::errc() || end != t.data() + t.size()) return std::nullopt;
  return n;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : tokens_(text) {}

  Predicate whole() {
    Predicate p = any(0);
    const Token& t = tokens_.now();
    if (t.kind == Token::Kind::wrong) throw Wrong{t.text, t.at};
    if (t.kind == Token::Kind::close) throw Wrong{"this parenthesis closes nothing", t.at};
    if (t.kind != Token::Kind::end) throw Wrong{fmt::format("`{}` follows a whole comparison: `and` or `or` was expected, or the end", t.text), t.at};
    return p;
  }

 private:
  Predicate joined(Predicate::Kind kind, const char* word, std::size_t depth) {
    const auto part = [&] { return kind == Predicate::Kind::any ? joined(Predicate::Kind::all, "and", depth) : one(depth); };
    Predicate first = part();
    if (!tokens_.is_word(word)) return first;
    Predicate out;
    out.kind = kind;
    // What is joined by the same word within, by parentheses or not, is one list.
    const auto add = [&](Predicate p) {
      if (p.kind != kind) return out.parts.push_back(std::move(p));
      for (Predicate& each : p.parts) out.parts.push_back(std::move(each));
    };
    add(std::move(first));
    while (tokens_.is_word(word)) {
      tokens_.take();
      add(part());
    }
    return out;
  }
  Predicate any(std::size_t depth) { return joined(Predicate::Kind::any, "or", depth); }

  Predicate one(std::size_t depth) {
    if (depth > depth_most) throw Wrong{"this is too deep", tokens_.now().at};
    if (tokens_.is_word("not")) {
      tokens_.take();
      Predicate out;
      out.kind = Predicate::Kind::no;
      out.parts.push_back(one(depth + 1));
      return out;
    }
    if (tokens_.now().kind == Token::Kind::open) {
      const std::size_t at = tokens_.take().at;
      Predicate inside = any(depth + 1);
      if (tokens_.now().kind == Token::Kind::wrong) throw Wrong{tokens_.now().text, tokens_.now().at};
      if (tokens_.now().kind == Token::Kind::end) throw Wrong{"this parenthesis is not closed", at};
      if (tokens_.now().kind != Token::Kind::close) throw Wrong{fmt::format("`{}` follows a whole comparison: `and`, `or` or `)` was expected", tokens_.now().text), tokens_.now().at};
      tokens_.take();
      return inside;
    }
    Predicate out;
    out.term = term();
    return out;
  }

  std::string name(const char* what, const std::string& after) {
    const Token& t = tokens_.now();
    if (t.kind == Token::Kind::wrong) throw Wrong{t.text, t.at};
    if ((t.kind != Token::Kind::word || is_word_of_language(t.text)) && t.kind != Token::Kind::quoted) throw Wrong{fmt::format("`{}` wants the name of {}", after, what), t.at};
    if (t.text.empty()) throw Wrong{"a name is empty", t.at};
    return tokens_.take().text;
  }
  bool another_name() const {
    const Token& t = tokens_.now();
    return t.kind == Token::Kind::quoted || (t.kind == Token::Kind::word && !is_word_of_language(t.text));
  }

  Term term() {
    const Token first = tokens_.now();
    if (first.kind == Token::Kind::wrong) throw Wrong{first.text, first.at};
    if (first.kind != Token::Kind::word || is_word_of_language(first.text))
      throw Wrong{"a comparison was expected, as `isr orders/0 < 3`, `lag billing > 100` or `state B1 = down`", first.at};
    tokens_.take();
    Term t;
    const KindDecl* k = kind_of(first.text);
    t.kind = k ? k->kind : Term::Kind::number;
    if (!k) t.name = lower(first.text);
    if (t.kind != Term::Kind::time) t.subject = name(k ? k->subject : "a place", lower(first.text));
    if (t.kind == Term::Kind::lag && another_name()) t.detail = name("a place", "lag");
    if (t.kind == Term::Kind::value) t.detail = name("a line of its state, as \"orders/0 > role\"", "value " + t.subject);
    if (t.kind == Term::Kind::number && tokens_.is_word("on")) {
      tokens_.take();
      t.detail = name("a node", "on");
    }
    comparison(t, first);
    return t;
  }

  void comparison(Term& t, const Token& first) {
    const Token c = tokens_.now();
    if (c.kind == Token::Kind::wrong) throw Wrong{c.text, c.at};
    if (c.kind != Token::Kind::compare) throw Wrong{fmt::format("`{}` is compared with nothing: one of = != < <= > >= was expected", first.text), c.at};
    tokens_.take();
    t.compare = static_cast<Compare>(std::find(compare_texts.begin(), compare_texts.end(), c.text) - compare_texts.begin());
    const Token v = tokens_.now();
    if (v.kind == Token::Kind::wrong) throw Wrong{v.text, v.at};
    if (v.kind != Token::Kind::word && v.kind != Token::Kind::quoted) throw Wrong{fmt::format("after {} a value was expected", c.text), v.at};
    if (v.kind == Token::Kind::word && is_word_of_language(v.text)) throw Wrong{fmt::format("after {} a value was expected; if it is called `{}`, put it in quotes", c.text, v.text), v.at};
    tokens_.take();
    if (t.kind == Term::Kind::time) {
      const auto d = parse_duration(v.text);
      if (!d) throw Wrong{fmt::format("`{}` is no time: 15s or 130ms was expected", v.text), v.at};
      t.value = *d;
      return;
    }
    if (!of_words(t.kind)) {
      const auto n = number_of(v.text);
      if (!n) throw Wrong{fmt::format("`{}` is no whole number", v.text), v.at};
      t.value = *n;
      return;
    }
    t.word = v.text;
    const bool ordered = t.compare != Compare::equal && t.compare != Compare::unequal;
    if (t.kind == Term::Kind::value) {
      if (ordered && !number_of(t.word)) throw Wrong{fmt::format("`{}` is no whole number: words are only equal or not", t.word), v.at};
      return;
    }
    if (ordered) throw Wrong{fmt::format("`{}` is compared by = or != only", lower(first.text)), c.at};
    if (t.kind == Term::Kind::leader && lower(t.word) == "none") t.word = "none";
    if (t.kind != Term::Kind::state) return;
    static const std::array<std::string, 3> states = {"running", "down", "paused"};
    t.word = lower(t.word);
    if (std::find(states.begin(), states.end(), t.word) == states.end())
      throw Wrong{fmt::format("`{}` is no state of a node: running, down or paused was expected{}", v.text, did_you_mean(t.word, states)), v.at};
  }

  Tokens tokens_;
};

std::string quoted_if_needed(const std::string& name) {
  const bool plain = !name.empty() && !is_word_of_language(name) && std::none_of(name.begin(), name.end(), [](char c) { return blank(c) || alone(c); });
  return plain ? name : '"' + name + '"';
}

std::string term_text(const Term& t) {
  std::string out;
  if (t.kind == Term::Kind::number) out = t.name;
  for (const KindDecl& k : kinds)
    if (k.kind == t.kind) out = k.word;
  if (!t.subject.empty()) out += " " + quoted_if_needed(t.subject);
  if (!t.detail.empty()) out += (t.kind == Term::Kind::number ? " on " : " ") + (t.kind == Term::Kind::value ? '"' + t.detail + '"' : quoted_if_needed(t.detail));
  out += fmt::format(" {} ", compare_texts[static_cast<std::size_t>(t.compare)]);
  if (of_words(t.kind)) return out + quoted_if_needed(t.word);
  if (t.kind != Term::Kind::time) return out + std::to_string(t.value);
  std::string time = format_duration(t.value);
  std::erase(time, ' ');
  return out + time;
}

// --- is it so? ---

bool compares(std::int64_t a, Compare c, std::int64_t b) {
  switch (c) {
    case Compare::equal: return a == b;
    case Compare::unequal: return a != b;
    case Compare::less: return a < b;
    case Compare::at_most: return a <= b;
    case Compare::more: return a > b;
    case Compare::at_least: return a >= b;
  }
  return false;
}

const NodeMoment* node_of(const Moment& m, const std::string& name) {
  for (const NodeMoment& n : m.nodes)
    if (n.name == name) return &n;
  return nullptr;
}

// A queue goes by its own name too: its kind ends with it.
bool is_place(const PlaceContents& p, const std::string& name) {
  if (p.place == name) return true;
  return p.queue && p.kind.size() > name.size() && p.kind.compare(p.kind.size() - name.size(), name.size(), name) == 0 && p.kind[p.kind.size() - name.size() - 1] == ' ';
}

bool leads(const Moment& m, const PlaceContents& p) { return p.leads && p.node < m.nodes.size() && m.nodes[p.node].running; }

// The copy that a number is asked of: that on a node; that of the leader, of several the one of the latest epoch; the only one.
const PlaceContents* copy_of(const Moment& m, const std::string& place, const std::string& on) {
  const PlaceContents *best = nullptr, *only = nullptr;
  std::size_t copies = 0;
  for (const PlaceContents& p : m.places) {
    if (!is_place(p, place)) continue;
    if (!on.empty()) {
      if (p.node < m.nodes.size() && m.nodes[p.node].name == on) return &p;
      continue;
    }
    ++copies;
    only = &p;
    if (leads(m, p) && (!best || number_in(p, "epoch").value_or(0) > number_in(*best, "epoch").value_or(0))) best = &p;
  }
  if (best || !on.empty()) return best;
  return copies == 1 && only->role.empty() ? only : nullptr;
}

const GroupContents* group_of(const Moment& m, const std::string& name) {
  for (const GroupContents& g : m.groups)
    if (g.name == name) return &g;
  return nullptr;
}

// The value of a line in a tree, by the names on the way to it; nothing: it is not there.
const std::string* line_in(const Tree& t, std::string_view path) {
  const auto trimmed = [](std::string_view s) {
    while (!s.empty() && blank(s.front())) s.remove_prefix(1);
    while (!s.empty() && blank(s.back())) s.remove_suffix(1);
    return s;
  };
  const std::size_t end = std::min(path.find('>'), path.size());
  const std::string_view name = trimmed(path.substr(0, end));
  for (const Tree& c : t.children)
    if (c.name == name) return end == path.size() ? &c.value : line_in(c, path.substr(end + 1));
  return nullptr;
}

bool holds(const Term& t, const Moment& m) {
  switch (t.kind) {
    case Term::Kind::time: return compares(m.time, t.compare, t.value);
    case Term::Kind::number: {
      const PlaceContents* p = copy_of(m, t.subject, t.detail);
      const auto n = p ? number_in(*p, t.name) : std::nullopt;
      return n && compares(*n, t.compare, t.value);
    }
    case Term::Kind::leaders:
    case Term::Kind::leader: {
      std::int64_t all = 0;
      bool is = false, there = false;
      for (const PlaceContents& p : m.places) {
        if (!is_place(p, t.subject)) continue;
        there = true;
        if (!leads(m, p)) continue;
        ++all;
        is |= m.nodes[p.node].name == t.word;
      }
      if (!there) return false;
      if (t.kind == Term::Kind::leaders) return compares(all, t.compare, t.value);
      if (t.word == "none") return (all == 0) == (t.compare == Compare::equal);
      return t.compare == Compare::equal ? is : all > 0 && !is;
    }
    case Term::Kind::lag: {
      const GroupContents* g = group_of(m, t.subject);
      if (!g) return false;
      const auto n = lag_of(*g, t.detail);
      return n && compares(*n, t.compare, t.value);
    }
    case Term::Kind::members: {
      const GroupContents* g = group_of(m, t.subject);
      return g && compares(static_cast<std::int64_t>(g->members.size()), t.compare, t.value);
    }
    case Term::Kind::state: {
      const NodeMoment* n = node_of(m, t.subject);
      if (!n) return false;
      const char* is = !n->running ? "down" : n->paused ? "paused" : "running";
      return (t.word == is) == (t.compare == Compare::equal);
    }
    case Term::Kind::waiting: {
      const NodeMoment* n = node_of(m, t.subject);
      return n && compares(static_cast<std::int64_t>(n->backlog), t.compare, t.value);
    }
    case Term::Kind::value: {
      const NodeMoment* n = node_of(m, t.subject);
      const std::string* is = n ? line_in(n->state, t.detail) : nullptr;
      if (!is) return false;
      const auto a = number_of(*is), b = number_of(t.word);
      if (a && b) return compares(*a, t.compare, *b);
      return t.compare == Compare::equal ? *is == t.word : t.compare == Compare::unequal && *is != t.word;
    }
  }
  return false;
}

template <class Visit>
void each_term(const Predicate& p, const Visit& visit) {
  if (p.kind == Predicate::Kind::term) visit(p.term);
  for (const Predicate& part : p.parts) each_term(part, visit);
}

}  // namespace

std::string Predicate::text() const {
  switch (kind) {
    case Kind::term: return term_text(term);
    case Kind::no: return "not " + (parts[0].kind == Kind::term || parts[0].kind == Kind::no ? parts[0].text() : "(" + parts[0].text() + ")");
    case Kind::all:
    case Kind::any: break;
  }
  std::string out;
  for (const Predicate& p : parts) {
    if (!out.empty()) out += kind == Kind::all ? " and " : " or ";
    out += kind == Kind::all && p.kind == Kind::any ? "(" + p.text() + ")" : p.text();
  }
  return out;
}

ReadPredicate read_predicate(std::string_view text) {
  ReadPredicate out;
  try {
    out.predicate = Reader(text).whole();
  } catch (const Wrong& w) {
    out.at = std::min(w.at, text.size());
    out.complaint = out.at >= text.size() ? fmt::format("at the end: {}", w.text) : fmt::format("at {}: {}", out.at + 1, w.text);
  }
  return out;
}

bool looks_like_predicate(std::string_view text) {
  return text.find_first_of("=<>()") != std::string_view::npos || kind_of(std::string(text.substr(0, text.find(' ')))) || lower(text.substr(0, 4)) == "not ";
}

bool holds(const Predicate& p, const Moment& m) {
  switch (p.kind) {
    case Predicate::Kind::term: return holds(p.term, m);
    case Predicate::Kind::all: return std::all_of(p.parts.begin(), p.parts.end(), [&](const Predicate& x) { return holds(x, m); });
    case Predicate::Kind::any: return std::any_of(p.parts.begin(), p.parts.end(), [&](const Predicate& x) { return holds(x, m); });
    case Predicate::Kind::no: return !holds(p.parts[0], m);
  }
  return false;
}

MomentWish wish_of(const Predicate& p) {
  MomentWish w;
  w.states = w.faults = w.contents.records = w.contents.groups = w.contents.all_places = false;
  std::set<std::string> places;
  each_term(p, [&](const Term& t) {
    switch (t.kind) {
      case Term::Kind::value: w.states = true; break;
      case Term::Kind::lag:
      case Term::Kind::members: w.contents.groups = true; break;
      case Term::Kind::number:
      case Term::Kind::leader:
      case Term::Kind::leaders: places.insert(t.subject); break;
      case Term::Kind::state:
      case Term::Kind::waiting:
      case Term::Kind::time: break;
    }
  });
  w.contents.places.assign(places.begin(), places.end());
  return w;
}

Vocabulary vocabulary_of(const Recording& r) {
  Vocabulary out;
  std::set<std::string> nodes, places, groups, numbers, sentences;
  const auto add_place = [&](const PlaceContents& p) {
    places.insert(p.place);
    if (const std::size_t name = p.kind.rfind(' '); p.queue && name != std::string::npos) places.insert(p.kind.substr(name + 1));
    for (const NumberMoment& n : p.numbers) numbers.insert(n.name);
  };
  for (std::size_t i = 0; i <= 4 && r.events() > 0; ++i) {
    const std::size_t event = (r.events() - 1) * i / 4;
    MomentWish wish;
    wish.states = wish.faults = wish.contents.records = false;
    r.moments(event, event, wish, [&](const Moment& m) {
      for (const NodeMoment& n : m.nodes) nodes.insert(n.name);
      for (const PlaceContents& p : m.places) add_place(p);
      for (const GroupContents& g : m.groups) groups.insert(g.name);
      if (i < 4) return true;
      // As things stand at the end: to be changed into what one looks for.
      for (const PlaceContents& p : m.places) {
        if (!leads(m, p) && !p.role.empty()) continue;
        const std::string name = quoted_if_needed(p.queue && p.kind.rfind(' ') != std::string::npos ? p.kind.substr(p.kind.rfind(' ') + 1) : p.place);
        for (const NumberMoment& n : p.numbers) sentences.insert(fmt::format("{} {} = {}", n.name, name, n.value));
        if (p.leads) sentences.insert(fmt::format("leader {} = {}", name, quoted_if_needed(m.nodes[p.node].name)));
      }
      for (const GroupContents& g : m.groups) {
        if (const auto lag = lag_of(g, {})) sentences.insert(fmt::format("lag {} > {}", quoted_if_needed(g.name), *lag));
        sentences.insert(fmt::format("members {} < {}", quoted_if_needed(g.name), g.members.size()));
      }
      for (const NodeMoment& n : m.nodes) {
        sentences.insert(fmt::format("state {} = down", quoted_if_needed(n.name)));
        sentences.insert(fmt::format("waiting {} > 0", quoted_if_needed(n.name)));
      }
      return true;
    });
  }
  const Journal& j = r.journal();
  std::vector<bool> a_place(j.names.size()), a_group(j.names.size());
  for (const Op& op : j.ops) {
    if (op.place < a_place.size()) a_place[op.place] = true;
    if (op.subscription < a_group.size()) a_group[op.subscription] = true;
  }
  for (std::uint32_t n = 1; n < j.names.size(); ++n) {
    if (a_place[n]) places.insert(j.names.text(n));
    if (a_group[n]) groups.insert(j.names.text(n));
  }
  out.nodes.assign(nodes.begin(), nodes.end());
  out.places.assign(places.begin(), places.end());
  out.groups.assign(groups.begin(), groups.end());
  out.numbers.assign(numbers.begin(), numbers.end());
  out.sentences.assign(sentences.begin(), sentences.end());
  return out;
}

std::string unknown_word(const Predicate& p, const Vocabulary& v) {
  std::string out;
  const auto check = [&](const std::string& name, const std::vector<std::string>& known, const char* what) {
    if (!out.empty() || name.empty() || std::binary_search(known.begin(), known.end(), name)) return;
    std::string all;
    for (std::size_t i = 0; i < known.size() && i < 12; ++i) all += (all.empty() ? "" : ", ") + known[i];
    if (known.size() > 12) all += ", …";
    out = fmt::format("`{}` is {} of this run{}{}", name, what, all.empty() ? ", which has none" : "; there are " + all, did_you_mean(name, known));
  };
  each_term(p, [&](const Term& t) {
    switch (t.kind) {
      case Term::Kind::number: {
        std::vector<std::string> numbers = v.numbers;
        if (!std::binary_search(numbers.begin(), numbers.end(), t.name))
          for (const KindDecl& k : kinds) numbers.emplace_back(k.word);  // what else it may have been meant for
        std::sort(numbers.begin(), numbers.end());
        check(t.name, numbers, "nothing that can be asked");
        check(t.subject, v.places, "no place");
        check(t.detail, v.nodes, "no node");
        break;
      }
      case Term::Kind::lag:
        check(t.subject, v.groups, "no group");
        check(t.detail, v.places, "no place");
        break;
      case Term::Kind::members: check(t.subject, v.groups, "no group"); break;
      case Term::Kind::leader:
        check(t.subject, v.places, "no place");
        if (t.word != "none") check(t.word, v.nodes, "no node");
        break;
      case Term::Kind::leaders: check(t.subject, v.places, "no place"); break;
      case Term::Kind::state:
      case Term::Kind::waiting:
      case Term::Kind::value: check(t.subject, v.nodes, "no node"); break;
      case Term::Kind::time: break;
    }
  });
  return out;
}

}  // namespace mqlab::gui
