//! `stoa serve`: every role in one process, until SIGTERM or Ctrl-C.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use authoring::Follower;
use axum::Router;
use chrono::Utc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::app::App;
use crate::config::Config;
use crate::roles;

/// Pause between looks at an empty outbox.
const IDLE: Duration = Duration::from_millis(500);
/// How long requests that are under way may take after the stop was asked for.
const GRACE: Duration = Duration::from_secs(15);

/// Opens the stores and serves.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let app = App::open(&config).await?;
    serve_app(app, || tracing::info!("ready")).await
}

/// Serves open stores; `ready` is called once every role listens.
pub async fn serve_app(app: App, ready: impl FnOnce()) -> anyhow::Result<()> {
    let lms = listen("lms_bind", app.config.lms_bind.0).await?;
    let studio = listen("studio_bind", app.config.studio_bind.0).await?;
    let routers = roles::routers(&app)?;
    let (stop, stopped) = watch::channel(false);
    tracing::info!(lms = %app.config.lms_address(), studio = %app.config.studio_address(), "listening");
    ready();

    let follower = Follower {
        db: app.db.clone(),
        store: app.store.clone(),
    };
    let following = tokio::spawn(follow(follower, stopped.clone()));
    let lms = tokio::spawn(answer(lms, routers.lms, stopped.clone()));
    let studio = tokio::spawn(answer(studio, routers.studio, stopped));

    wait_for_stop().await?;
    tracing::info!("stopping");
    stop.send_replace(true);
    let ended = tokio::time::timeout(GRACE, async {
        let (lms, studio, following) = tokio::join!(lms, studio, following);
        lms??;
        studio??;
        following?;
        Ok::<_, anyhow::Error>(())
    });
    if let Ok(result) = ended.await {
        result?;
    } else {
        tracing::warn!("requests were still under way and are given up");
    }
    app.close().await;
    tracing::info!("stopped");
    Ok(())
}

async fn listen(key: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("{key}: cannot listen on {address}"))
}

async fn answer(
    listener: TcpListener,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(async move {
            // An error means that the sender is gone: stop as well.
            let _gone = stopped.wait_for(|stop| *stop).await.is_err();
        })
        .await
}

/// Handles what follows commits, until the stop is asked for.
async fn follow(follower: Follower, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let pause = match follower.step(Utc::now()).await {
            Ok(0) => IDLE,
            Ok(_) => Duration::ZERO,
            Err(error) => {
                tracing::error!(%error, "the outbox cannot be read");
                IDLE * 10
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopped.changed() => {}
        }
    }
}

async fn wait_for_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        result = tokio::signal::ctrl_c() => result?,
    }
    Ok(())
}
