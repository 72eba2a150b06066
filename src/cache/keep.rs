//! The cache: values that fade, firsts that happen once, and throttles; in Redis or in its in-process twin.
//!
//! No method fails. With Redis away the twin answers for this process alone, and [`Cache::state`] says so; when Redis
//! is back it is used again by itself. So nothing here may be the only guard of money, a session or a right: the store
//! is.
//!
//! Keys appear in Redis as they are given: a key made from personal data (ID number, phone, name) is hashed by its
//! caller. Time to live is counted by the clock in the twin, and by Redis's own clock in Redis.
use std::sync::Arc;
use std::time::Duration;

use super::memory::Twin;
use super::remote::{PREFIX, RedisUrlError, Remote};
use super::throttle::{self, Throttle};
use crate::clock::Clock;

/// How long [`Cache::has_happened`] may answer without Redis: short, as [`Cache::forget`] does not reach elsewhere.
const NEAR: Duration = Duration::from_secs(60);

/// A cheap handle; clones share one cache.
#[derive(Clone)]
pub struct Cache {
    twin: Arc<Twin>,
    remote: Option<Arc<Remote>>,
}

/// Where answers come from at this moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CacheState {
    /// No Redis is configured; right for one process.
    InProcess,
    Redis,
    /// Redis is configured and away; the twin answers.
    Degraded,
}

impl Cache {
    pub fn memory(clock: Clock) -> Self {
        Self { twin: Arc::new(Twin::new(clock)), remote: None }
    }

    /// Reads the address only; the first call connects. Calls need a tokio runtime.
    ///
    /// # Errors
    /// The address cannot be read.
    pub fn redis(url: &str, clock: Clock) -> Result<Self, RedisUrlError> {
        let twin = Arc::new(Twin::new(clock));
        let remote = Remote::new(url, twin.clone())?;
        Ok(Self { twin, remote: Some(Arc::new(remote)) })
    }

    pub fn state(&self) -> CacheState {
        match &self.remote {
            None => CacheState::InProcess,
            Some(remote) if remote.is_away() => CacheState::Degraded,
            Some(_) => CacheState::Redis,
        }
    }

    /// How often Redis went away since the start.
    pub fn falls(&self) -> u64 {
        self.remote.as_ref().map_or(0, |remote| remote.falls())
    }

    pub async fn get(&self, key: &str) -> Option<String> {
        if let Some(remote) = &self.remote
            && let Some(answer) = remote.ask(None, redis::cmd("GET").arg(value_key(key))).await
        {
            return answer;
        }
        self.twin.get(key)
    }

    pub async fn put(&self, key: &str, value: &str, ttl: Duration) {
        if let Some(remote) = &self.remote {
            let key = value_key(key);
            let mut set = redis::cmd("SET");
            set.arg(&key).arg(value).arg("PX").arg(millis(ttl));
            if remote.ask::<()>(Some(&key), &set).await.is_some() {
                return;
            }
        }
        self.twin.put(key, value, ttl);
    }

    /// Whether something is noted that has happened and stays so. What this process noted or found within the last
    /// minute it knows without asking Redis.
    pub async fn has_happened(&self, key: &str) -> bool {
        if self.twin.get(key).is_some() {
            return true;
        }
        if self.remote.is_none() || self.get(key).await.is_none() {
            return false;
        }
        self.twin.put(key, "1", NEAR);
        true
    }

    /// Notes something that has happened and stays so.
    pub async fn note_happened(&self, key: &str, ttl: Duration) {
        self.put(key, "1", ttl).await;
        if self.state() == CacheState::Redis {
            self.twin.put(key, "1", NEAR.min(ttl));
        }
    }

    pub async fn remove(&self, key: &str) {
        if let Some(remote) = &self.remote {
            let key = value_key(key);
            if remote.ask::<()>(Some(&key), redis::cmd("DEL").arg(&key)).await.is_some() {
                return;
            }
        }
        self.twin.take(key);
    }

    /// Gets and deletes in one step: of many callers one receives the value.
    pub async fn take(&self, key: &str) -> Option<String> {
        if let Some(remote) = &self.remote {
            let key = value_key(key);
            if let Some(answer) = remote.ask(Some(&key), redis::cmd("GETDEL").arg(&key)).await {
                return answer;
            }
        }
        self.twin.take(key)
    }

    /// True for the first caller within `ttl`, false for all others. Shares its keys with [`Cache::put`].
    pub async fn once(&self, key: &str, ttl: Duration) -> bool {
        if let Some(remote) = &self.remote {
            let mut set = redis::cmd("SET");
            set.arg(value_key(key)).arg(1).arg("NX").arg("PX").arg(millis(ttl));
            if let Some(answer) = remote.ask::<Option<String>>(None, &set).await {
                return answer.is_some();
            }
        }
        self.twin.once(key, ttl)
    }

    /// Counts a try and says whether it may go on; `limit` tries fit into a window that opens with the first. A refused
    /// try does not lengthen the wait.
    pub async fn throttle(&self, key: &str, limit: u32, window: Duration) -> Throttle {
        self.try_throttle(key, limit, window, true).await
    }

    /// What [`Cache::throttle`] would find, without counting: `left` includes the try that asks.
    pub async fn peek_throttle(&self, key: &str, limit: u32, window: Duration) -> Throttle {
        self.try_throttle(key, limit, window, false).await
    }

    /// Takes back one try that was counted and came to nothing.
    pub async fn give_back(&self, key: &str) {
        if let Some(remote) = &self.remote {
            let mut eval = redis::cmd("EVAL");
            eval.arg(throttle::GIVE_BACK).arg(1).arg(throttle_key(key));
            if remote.ask::<i64>(None, &eval).await.is_some() {
                return;
            }
        }
        self.twin.give_back(key);
    }

    /// Forgets the tries of a throttle.
    pub async fn clear(&self, key: &str) {
        self.twin.clear(key);
        if let Some(remote) = &self.remote {
            let key = throttle_key(key);
            remote.ask::<()>(Some(&key), redis::cmd("DEL").arg(&key)).await;
        }
    }

    /// Forgets every value, those of other processes too; throttles go on. Another process may know for a minute more
    /// what [`Cache::has_happened`] told it. With Redis away its values are deleted when
    /// it is back.
    pub async fn forget(&self) {
        self.twin.forget_values();
        if let Some(remote) = &self.remote {
            remote.forget().await;
        }
    }

    async fn try_throttle(&self, key: &str, limit: u32, window: Duration, count: bool) -> Throttle {
        if let Some(remote) = &self.remote {
            let mut eval = redis::cmd("EVAL");
            eval.arg(throttle::SCRIPT).arg(1).arg(throttle_key(key));
            eval.arg(limit).arg(millis(window)).arg(u8::from(count));
            if let Some(answer) = remote.ask(None, &eval).await {
                return throttle::from_script(answer);
            }
        }
        self.twin.throttle(key, limit, window, count)
    }
}

fn value_key(key: &str) -> String {
    format!("{PREFIX}v:{key}")
}

fn throttle_key(key: &str) -> String {
    format!("{PREFIX}t:{key}")
}

/// Redis refuses a time of nought and one beyond its range; a hundred years are enough.
fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).clamp(1, 100 * 366 * 86_400_000)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::process::{Child, Command, Stdio};
    use std::time::Instant;

    use super::*;
    use crate::domain::moment::Moment;

    const MINUTE: Duration = Duration::from_secs(60);

    fn clock() -> Clock {
        Clock::manual(Moment::from_unix(1_788_000_000))
    }

    /// The caches every behaviour is shown on: the twin, and Redis where `JIAOFEI_TEST_REDIS` names one.
    fn caches() -> Vec<Cache> {
        let redis = std::env::var("JIAOFEI_TEST_REDIS").ok();
        let redis = redis.map(|url| Cache::redis(&url, clock()).unwrap());
        [Some(Cache::memory(clock())), redis].into_iter().flatten().collect()
    }

    /// A key no other test and no earlier run has used.
    fn fresh(name: &str) -> String {
        format!("test:{name}:{}", crate::clock::Chance::system().token(12))
    }

    #[tokio::test]
    async fn a_value_is_given_back_until_it_is_removed() {
        for cache in caches() {
            let key = fresh("value");
            assert_eq!(cache.get(&key).await, None);
            cache.put(&key, "学费", MINUTE).await;
            assert_eq!(cache.get(&key).await.as_deref(), Some("学费"));
            cache.remove(&key).await;
            assert_eq!(cache.get(&key).await, None);
            assert_ne!(cache.state(), CacheState::Degraded);
        }
    }

    #[tokio::test]
    async fn what_has_happened_is_noted_once_for_all() {
        for cache in caches() {
            let key = fresh("happened");
            assert!(!cache.has_happened(&key).await);
            cache.note_happened(&key, MINUTE).await;
            assert!(cache.has_happened(&key).await);
            let other = Cache { twin: Arc::new(Twin::new(clock())), remote: cache.remote.clone() };
            assert_eq!(other.has_happened(&key).await, cache.remote.is_some(), "another process");
        }
    }

    #[tokio::test]
    async fn of_many_takers_one_receives_the_value() {
        for cache in caches() {
            let key = fresh("take");
            cache.put(&key, "prize", MINUTE).await;
            let takers = (0..20).map(|_| cache.take(&key));
            let taken = futures_util::future::join_all(takers).await;
            assert_eq!(taken.into_iter().flatten().collect::<Vec<_>>(), ["prize"]);
        }
    }

    #[tokio::test]
    async fn of_many_callers_one_is_the_first_until_the_mark_is_removed() {
        for cache in caches() {
            let key = fresh("once");
            let callers = futures_util::future::join_all((0..20).map(|_| cache.once(&key, MINUTE))).await;
            assert_eq!(callers.into_iter().filter(|first| *first).count(), 1);
            cache.remove(&key).await;
            assert!(cache.once(&key, MINUTE).await);
        }
    }

    #[tokio::test]
    async fn a_throttle_lets_its_limit_through_and_then_says_how_long_to_wait() {
        for cache in caches() {
            let key = fresh("throttle");
            assert_eq!(cache.peek_throttle(&key, 3, MINUTE).await, Throttle::Allowed { left: 3 });
            for left in [2, 1, 0] {
                assert_eq!(cache.throttle(&key, 3, MINUTE).await, Throttle::Allowed { left });
            }
            for refused in [cache.throttle(&key, 3, MINUTE).await, cache.peek_throttle(&key, 3, MINUTE).await] {
                let Throttle::Wait(wait) = refused else { panic!("a fourth try was let through") };
                assert!(wait > Duration::from_secs(50) && wait <= MINUTE, "{wait:?}");
            }
            cache.clear(&key).await;
            assert_eq!(cache.peek_throttle(&key, 3, MINUTE).await, Throttle::Allowed { left: 3 });
        }
    }

    #[tokio::test]
    async fn a_try_that_is_given_back_can_be_made_again_and_none_is_given_twice() {
        for cache in caches() {
            let key = fresh("given back");
            cache.give_back(&key).await;
            assert_eq!(cache.throttle(&key, 2, MINUTE).await, Throttle::Allowed { left: 1 });
            assert_eq!(cache.throttle(&key, 2, MINUTE).await, Throttle::Allowed { left: 0 });
            cache.give_back(&key).await;
            assert_eq!(cache.throttle(&key, 2, MINUTE).await, Throttle::Allowed { left: 0 });
            assert!(!cache.throttle(&key, 2, MINUTE).await.is_allowed());
        }
    }

    #[tokio::test]
    async fn a_throttle_and_a_value_of_one_name_do_not_meet() {
        for cache in caches() {
            let key = fresh("name");
            cache.put(&key, "not a number", MINUTE).await;
            assert_eq!(cache.throttle(&key, 1, MINUTE).await, Throttle::Allowed { left: 0 });
            cache.remove(&key).await;
            assert!(!cache.throttle(&key, 1, MINUTE).await.is_allowed());
            assert_ne!(cache.state(), CacheState::Degraded);
        }
    }

    #[tokio::test]
    async fn a_limit_of_nought_refuses_and_a_life_of_nought_breaks_nothing() {
        for cache in caches() {
            let key = fresh("nought");
            assert_eq!(cache.throttle(&key, 0, MINUTE).await, Throttle::Wait(MINUTE));
            cache.put(&key, "gone", Duration::ZERO).await;
            cache.put(&fresh("ever"), "stays", Duration::MAX).await;
            assert_ne!(cache.state(), CacheState::Degraded);
        }
    }

    #[tokio::test]
    async fn the_twin_forgets_by_the_clock_it_was_given() {
        let clock = clock();
        let cache = Cache::memory(clock.clone());
        cache.put("value", "v", MINUTE).await;
        assert!(cache.once("mark", MINUTE).await);
        assert_eq!(cache.throttle("tries", 1, MINUTE).await, Throttle::Allowed { left: 0 });
        clock.advance(MINUTE - Duration::from_secs(1));
        assert!(cache.get("value").await.is_some());
        assert!(!cache.once("mark", MINUTE).await);
        assert_eq!(cache.throttle("tries", 1, MINUTE).await, Throttle::Wait(Duration::from_secs(1)));
        clock.advance(Duration::from_secs(1));
        assert_eq!((cache.get("value").await, cache.take("value").await), (None, None));
        assert!(cache.once("mark", MINUTE).await);
        assert!(cache.throttle("tries", 1, MINUTE).await.is_allowed());
    }

    #[tokio::test]
    async fn redis_forgets_by_its_own_clock() {
        for cache in caches().into_iter().filter(|cache| cache.state() == CacheState::Redis) {
            let key = fresh("fades");
            let short = Duration::from_millis(40);
            cache.put(&key, "v", short).await;
            assert!(cache.throttle(&key, 1, short).await.is_allowed());
            tokio::time::sleep(short * 2).await;
            assert_eq!(cache.get(&key).await, None);
            assert!(cache.once(&key, short).await);
            assert!(cache.throttle(&key, 1, short).await.is_allowed());
        }
        let twin = Cache::memory(clock());
        assert_eq!(twin.state(), CacheState::InProcess);
    }

    /// A port of this machine on which nobody listens.
    fn free_port() -> u16 {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    }

    #[tokio::test]
    async fn with_nobody_listening_every_call_is_answered_by_the_twin() {
        let cache = Cache::redis(&format!("redis://127.0.0.1:{}", free_port()), clock()).unwrap();
        assert_eq!(cache.state(), CacheState::Redis);
        assert_eq!(cache.get("key").await, None);
        assert_eq!(cache.state(), CacheState::Degraded);
        cache.put("key", "value", MINUTE).await;
        assert_eq!(cache.take("key").await.as_deref(), Some("value"));
        assert!(cache.once("mark", MINUTE).await && !cache.once("mark", MINUTE).await);
        assert!(cache.throttle("tries", 1, MINUTE).await.is_allowed());
        assert!(!cache.throttle("tries", 1, MINUTE).await.is_allowed());
        cache.clear("tries").await;
        assert!(cache.peek_throttle("tries", 1, MINUTE).await.is_allowed());
    }

    #[tokio::test]
    async fn a_redis_that_never_answers_costs_its_time_out_once() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let cache = Cache::redis(&format!("redis://{}", silent.local_addr().unwrap()), clock()).unwrap();
        let begun = Instant::now();
        cache.put("key", "value", MINUTE).await;
        let first = begun.elapsed();
        assert!(first < Duration::from_millis(1500), "{first:?}");
        let begun = Instant::now();
        for _ in 0..200 {
            assert_eq!(cache.get("key").await.as_deref(), Some("value"));
        }
        assert!(begun.elapsed() < Duration::from_millis(1500), "200 calls waited for a silent Redis");
        assert_eq!(cache.state(), CacheState::Degraded);
    }

    #[tokio::test]
    async fn an_unfit_address_is_refused_without_being_repeated() {
        let Err(error) = Cache::redis("http://:hunter2@example.org", clock()) else { panic!("accepted") };
        assert_eq!(error.to_string(), "redis.url: not an address of the form redis://host:6379/0");
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    /// A Redis of the test's own, so that it can be killed.
    struct OwnRedis(Child);

    impl OwnRedis {
        async fn start(port: u16) -> Self {
            let options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"];
            let mut server = Command::new("redis-server");
            server.args(options).arg(port.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
            let server = Self(server.current_dir(std::env::temp_dir()).spawn().expect("redis-server is installed"));
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            server
        }
    }

    impl Drop for OwnRedis {
        fn drop(&mut self) {
            // kill -9: no goodbye on any connection
            self.0.kill().unwrap();
            self.0.wait().unwrap();
        }
    }

    async fn until_back(cache: &Cache) {
        let begun = Instant::now();
        while cache.state() != CacheState::Redis {
            assert!(begun.elapsed() < Duration::from_secs(30), "Redis is up again and not used");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    #[tokio::test]
    async fn killed_redis_is_stood_in_for_and_used_again_when_it_is_back() {
        let port = free_port();
        let cache = Cache::redis(&format!("redis://127.0.0.1:{port}"), clock()).unwrap();
        if std::env::var("JIAOFEI_TEST_REDIS").is_err() {
            assert_eq!(cache.get("nobody listens").await, None);
            assert_eq!(cache.state(), CacheState::Degraded);
            return;
        }
        let server = OwnRedis::start(port).await;
        cache.put("before", "1", MINUTE).await;
        assert_eq!((cache.get("before").await.as_deref(), cache.state()), (Some("1"), CacheState::Redis));
        drop(server);
        assert_eq!((cache.get("before").await, cache.state()), (None, CacheState::Degraded));
        cache.put("during", "2", MINUTE).await;
        assert_eq!(cache.get("during").await.as_deref(), Some("2"));
        let _server = OwnRedis::start(port).await;
        until_back(&cache).await;
        assert_eq!(cache.get("during").await, None, "the twin's values end with the break");
        cache.put("after", "3", MINUTE).await;
        assert_eq!(cache.get("after").await.as_deref(), Some("3"));
        assert_eq!(cache.state(), CacheState::Redis);
    }

    #[tokio::test]
    async fn a_value_changed_while_redis_was_out_of_reach_is_not_given_back_from_before() {
        let port = free_port();
        let cache = Cache::redis(&format!("redis://127.0.0.1:{port}"), clock()).unwrap();
        if std::env::var("JIAOFEI_TEST_REDIS").is_err() {
            cache.put("session", "valid", MINUTE).await;
            cache.remove("session").await;
            assert_eq!(cache.get("session").await, None);
            return;
        }
        let server = OwnRedis::start(port).await;
        for key in ["signed out", "rewritten", "untouched"] {
            cache.put(key, "before", MINUTE).await;
        }
        let signal = |name: &str| Command::new("kill").args([name, &server.0.id().to_string()]).status().unwrap();
        assert!(signal("-STOP").success());
        cache.remove("signed out").await;
        assert_eq!(cache.state(), CacheState::Degraded);
        cache.put("rewritten", "during", MINUTE).await;
        assert!(signal("-CONT").success());
        until_back(&cache).await;
        assert_eq!(cache.get("signed out").await, None);
        assert_eq!(cache.get("rewritten").await, None);
        assert_eq!(cache.get("untouched").await.as_deref(), Some("before"));
        // more changes than are remembered one by one: every value goes
        assert!(signal("-STOP").success());
        for at in 0..10_050 {
            cache.remove(&format!("key {at}")).await;
        }
        assert!(signal("-CONT").success());
        until_back(&cache).await;
        assert_eq!(cache.get("untouched").await, None);
    }
}
