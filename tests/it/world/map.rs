//! The route map as the router's own source has it, so that a new route cannot be left out of the tests that walk it.

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    pub method: &'static str,
    /// With its parameters: `/h5/cashier/:order_no`
    pub pattern: String,
}

impl Route {
    /// A path of this route, its parameters filled in.
    pub fn path(&self, parameters: &[(&str, &str)]) -> String {
        let fill = |part: &str| match part.strip_prefix(':') {
            None => part.to_owned(),
            Some(name) => {
                let known = parameters.iter().find(|(key, _)| *key == name);
                known.unwrap_or_else(|| panic!("nobody fills :{name} of {} in", self.pattern)).1.to_owned()
            }
        };
        self.pattern.split('/').map(fill).collect::<Vec<_>>().join("/")
    }

    /// A POST that reads nothing and sends the browser to ask for the same page: the way back from UnionPay.
    pub fn only_sends_on(&self) -> bool {
        self.method == "POST" && ["/h5/result/:order_no", "/q/:code/result"].contains(&self.pattern.as_str())
    }

    pub fn has_parameter(&self) -> bool {
        self.pattern.contains(':')
    }
}

/// Every route of the app.
pub fn routes() -> Vec<Route> {
    let source = include_str!("../../../src/web/routes.rs");
    let (mut prefix, mut next) = ("", "");
    let mut routes = Vec::new();
    for line in source.lines() {
        match line.trim() {
            "fn h5() -> Route {" => next = "/h5",
            "fn portal() -> Route {" => next = "/h5/sso",
            "fn code() -> Route {" => next = "/q",
            "fn sharing() -> Route {" => next = "/h5/pay-for-me",
            "fn given() -> Route {" => next = "/for",
            "Route::new()" => prefix = std::mem::take(&mut next),
            line => {
                let Some((path, handlers)) = line.strip_prefix(".at(\"").and_then(|rest| rest.split_once('"')) else {
                    continue;
                };
                let pattern =
                    if path == "/" && !prefix.is_empty() { prefix.to_owned() } else { format!("{prefix}{path}") };
                for (word, method) in [("get(", "GET"), ("post(", "POST")] {
                    if handlers.contains(word) {
                        routes.push(Route { method, pattern: pattern.clone() });
                    }
                }
            }
        }
    }
    assert!(routes.len() > 30, "{routes:?}");
    routes.extend(routes_of_the_api());
    routes
}

/// The calls of the API, as their handlers name them.
pub fn routes_of_the_api() -> Vec<Route> {
    let sources = [
        include_str!("../../../src/web/api/arrears.rs"),
        include_str!("../../../src/web/api/batches.rs"),
        include_str!("../../../src/web/api/feed.rs"),
        include_str!("../../../src/web/api/orders.rs"),
        include_str!("../../../src/web/api/posters.rs"),
        include_str!("../../../src/web/api/receipts.rs"),
        include_str!("../../../src/web/api/session.rs"),
    ];
    let named = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!("{name} = \""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    let lines = sources.into_iter().flat_map(str::lines).map(str::trim).filter(|line| line.starts_with("#[oai(path"));
    let route = |line: &str| {
        let method = if named(line, "method")? == "get" { "GET" } else { "POST" };
        Some(Route { method, pattern: format!("/api{}", named(line, "path")?) })
    };
    let routes: Vec<Route> = lines.filter_map(route).collect();
    assert!(routes.len() >= 12, "{routes:?}");
    routes
}
