//! Accounts and sessions.

use records::sessions::{self, Session};
use records::users::{self, User, UserProfile};

use crate::engines::{self, moment, unique};

/// identity.md §12: names and addresses are unique whatever their case; 4-byte text is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn accounts_are_found_whatever_the_case() {
    for engine in engines::all().await {
        let db = &engine.db;
        let name = unique("Ada");
        let name = &name;
        let created = |username: String| async move {
            let username = &username;
            db.write(|mut tx| async move {
                let mut user = User {
                    username: username.clone(),
                    email: format!("{name}@Example.com"),
                    date_joined: moment(0),
                    ..User::default()
                };
                let mut profile = UserProfile {
                    name: "Ada 🦉 Ünï".to_owned(),
                    bio: Some("𝒜".to_owned()),
                    ..UserProfile::default()
                };
                users::create(&mut tx, &mut user, &mut profile, Some(username)).await?;
                Ok::<_, db::Error>(user)
            })
            .await
        };
        let user = created(name.clone()).await.unwrap();
        assert!(created(name.to_uppercase()).await.unwrap_err().is_unique());
        assert!(
            created(unique("other")).await.unwrap_err().is_unique(),
            "same e-mail"
        );
        let found = users::by_username(db, &name.to_lowercase())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found, user);
        let email = format!("{}@example.COM", name.to_uppercase());
        assert_eq!(
            users::by_email(db, &email).await.unwrap().unwrap().id,
            user.id
        );
        assert_eq!(
            users::by_username_or_email(db, &email)
                .await
                .unwrap()
                .unwrap()
                .id,
            user.id
        );
        assert_eq!(users::by_ids(db, &[user.id, -5]).await.unwrap().len(), 1);
        let profile = users::profile(db, user.id).await.unwrap().unwrap();
        assert_eq!(profile.name, "Ada 🦉 Ünï");
        assert_eq!(profile.bio.as_deref(), Some("𝒜"));
        let registration = users::registration_by_key(db, name).await.unwrap().unwrap();
        assert_eq!(registration.user_id, user.id);
        // Keys are secrets: compared exactly.
        assert!(
            users::registration_by_key(db, &name.to_uppercase())
                .await
                .unwrap()
                .is_none()
        );
        let id = user.id;
        db.write(|mut tx| async move {
            users::activate(&mut tx, id, moment(1)).await?;
            users::set_last_login(&mut tx, id, moment(2)).await?;
            users::set_attribute(&mut tx, id, "a", "1", moment(1)).await?;
            users::set_attribute(&mut tx, id, "a", "2", moment(2)).await?;
            users::save_anonymous_id(&mut tx, id, "", name).await?;
            users::save_anonymous_id(&mut tx, id, "", name).await
        })
        .await
        .unwrap();
        let user = users::by_id(db, id).await.unwrap().unwrap();
        assert!(user.is_active);
        assert_eq!(user.last_login, Some(moment(2)));
        let attributes = users::attributes(db, id).await.unwrap();
        assert_eq!(attributes.len(), 1);
        assert_eq!(
            (attributes[0].value.as_str(), attributes[0].created),
            ("2", moment(1))
        );
        assert_eq!(
            users::anonymous_id(db, id, "").await.unwrap().as_ref(),
            Some(name)
        );
        assert_eq!(
            users::by_anonymous_id(db, name).await.unwrap(),
            Some((id, String::new()))
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_expire_and_their_keys_are_exact() {
    for engine in engines::all().await {
        let db = &engine.db;
        let key = unique("sessionkey");
        let session = Session {
            session_key: key.clone(),
            session_data: "data 🦉".to_owned(),
            expire_date: moment(60),
        };
        let session = &session;
        let fresh = db
            .write(|mut tx| async move {
                let first = sessions::create(&mut tx, session).await?;
                let second = sessions::create(&mut tx, session).await?;
                sessions::save(&mut tx, session).await?;
                Ok::<_, db::Error>((first, second))
            })
            .await
            .unwrap();
        assert_eq!(fresh, (true, false));
        assert_eq!(
            sessions::get(db, &key, moment(59)).await.unwrap().as_ref(),
            Some(session)
        );
        assert!(sessions::get(db, &key, moment(60)).await.unwrap().is_none());
        assert!(
            sessions::get(db, &key.to_uppercase(), moment(0))
                .await
                .unwrap()
                .is_none()
        );
        let key = &key;
        db.write(|mut tx| async move { sessions::delete(&mut tx, key).await })
            .await
            .unwrap();
        assert!(sessions::get(db, key, moment(0)).await.unwrap().is_none());
    }
}
