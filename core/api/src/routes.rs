//! From the resources to a table of routes: which methods a path has, and what others get.

use std::collections::HashMap;
use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::error::NotFoundError;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, Request, Response, Result, Route};
use poem_openapi::OpenApi;

use crate::observe::Pattern;
use crate::parameters::{FIRST_IN_PATH, SECOND_IN_PATH};

/// The routes of the resources, without the framework's own wrapping, which would parse the query
/// string and the cookies of every request.
/// `further` are added to them.
pub(crate) fn routes(
    resources: impl OpenApi,
    further: Vec<(&str, Method, BoxEndpoint<'static>)>,
) -> Route {
    let mut table: HashMap<String, HashMap<Method, _>> = HashMap::new();
    resources.add_routes(&mut table);
    for (path, method, endpoint) in further {
        table
            .entry(path.to_owned())
            .or_default()
            .insert(method, endpoint);
    }
    table
        .into_iter()
        .fold(Route::new(), |route, (path, methods)| {
            let entry = Methods::new(&path, methods.into_iter().collect());
            route.at(path, entry)
        })
}

/// The methods of one path. `HEAD` works as `GET`, `OPTIONS` says which there are, and a method
/// that is not there is as unknown as a path (contract/query.md §9).
pub(crate) struct Methods {
    table: Vec<(Method, BoxEndpoint<'static>)>,
    allow: HeaderValue,
    pattern: Arc<str>,
}

impl Methods {
    /// The methods of a path.
    pub(crate) fn new(path: &str, table: Vec<(Method, BoxEndpoint<'static>)>) -> Self {
        let mut names: Vec<_> = table.iter().map(|(method, _)| method.as_str()).collect();
        if names.contains(&"GET") {
            names.push("HEAD");
        }
        names.push("OPTIONS");
        names.sort_unstable();
        // Names of methods are always a header value.
        let allow = names
            .join(", ")
            .parse()
            .unwrap_or(HeaderValue::from_static(""));
        let pattern = path
            .replace(&format!(":{FIRST_IN_PATH}"), "{id}")
            .replace(&format!(":{SECOND_IN_PATH}"), "{name}")
            .into();
        Self {
            table,
            allow,
            pattern,
        }
    }

    async fn dispatch(&self, request: Request) -> Result<Response> {
        let method = match request.method() {
            &Method::HEAD => &Method::GET,
            method => method,
        };
        match self.table.iter().find(|(known, _)| known == method) {
            Some((_, endpoint)) => endpoint.call(request).await,
            None if *method == Method::OPTIONS => {
                let mut response = Response::from(StatusCode::NO_CONTENT);
                response
                    .headers_mut()
                    .insert(header::ALLOW, self.allow.clone());
                Ok(response)
            }
            None => Err(NotFoundError.into()),
        }
    }
}

impl Endpoint for Methods {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let mut result = self.dispatch(request).await;
        let pattern = Pattern(Arc::clone(&self.pattern));
        match &mut result {
            Ok(response) => response.set_data(pattern),
            Err(error) => error.set_data(pattern),
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use poem::EndpointExt;
    use poem::endpoint::make_sync;

    use super::*;

    async fn asked(method: Method) -> Result<Response> {
        let get = make_sync(|_| "got").map_to_response().boxed();
        let path = format!("/users/:{FIRST_IN_PATH}");
        let methods = Methods::new(&path, vec![(Method::GET, get)]);
        methods
            .call(Request::builder().method(method).finish())
            .await
    }

    #[tokio::test]
    async fn head_works_as_get() {
        for method in [Method::GET, Method::HEAD] {
            let response = asked(method).await.unwrap();
            assert!(response.is_ok());
            assert_eq!(&*response.data::<Pattern>().unwrap().0, "/users/{id}");
        }
    }

    #[tokio::test]
    async fn options_says_which_methods_there_are() {
        let response = asked(Method::OPTIONS).await.unwrap();

        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert_eq!(response.header("allow"), Some("GET, HEAD, OPTIONS"));
    }

    #[tokio::test]
    async fn other_methods_are_not_found() {
        let error = asked(Method::PUT).await.unwrap_err();

        assert_eq!(error.status(), StatusCode::NOT_FOUND);
        assert_eq!(&*error.data::<Pattern>().unwrap().0, "/users/{id}");
    }
}
